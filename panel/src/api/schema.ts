/** Written by `npm run types` from server/openapi.json. */
export interface paths {
    "/v1/snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The flags with their rules, for a backend
         * @description Needs a token of the kind `server` or `admin`. The answer is packed by gzip if the client accepts that.
         */
        get: operations["snapshot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Server-sent events: there is another snapshot
         * @description Needs a token of the kind `server` or `admin`. A comment every 15 seconds shows that the stream is alive.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/client-snapshot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A document that the page of one caller evaluates by itself
         * @description A token of the kind `client` sees only flags that are marked `client`. The body is JSON, whatever its content type.
         */
        post: operations["clientSnapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projection": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The values of flags for one caller, without reasons
         * @description A token of the kind `client` sees only flags that are marked `client`. The body is JSON, whatever its content type.
         */
        post: operations["projection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trips": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The trips of guards that keep flags off
         * @description Needs a token of the kind `server` or `admin`.
         */
        get: operations["trips"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/trips/{flag}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Switches off a flag whose guard has tripped in an app
         * @description Needs a token of the kind `server` or `admin`. Section 2 of `spec/GUARD.md` says what an app does with the answers.
         */
        put: operations["proposeTrip"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openfeature/v0/manifest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** OpenFeature's manifest, from which its tool writes typed code */
        get: operations["manifest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description */
        get: operations["description"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the session of this browser is for */
        get: operations["session"];
        put?: never;
        /**
         * Begins a session of twelve hours
         * @description The page has to be one of this server's own. Every address of `/api/v1` takes the cookie as it takes a token.
         */
        post: operations["beginSessionOfPage"];
        /** Ends the session of this browser */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/flags": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All flags */
        get: operations["listFlags"];
        put?: never;
        /**
         * Makes a flag
         * @description A flag of the same key is a conflict, whose answer has the entity tag of that flag.
         */
        post: operations["createFlag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/flags/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** One flag */
        get: operations["readFlag"];
        /**
         * Writes a flag as a whole
         * @description A field that the body leaves out is emptied; one that it has as the client read it is left alone. `If-None-Match: *` makes the flag.
         */
        put: operations["putFlag"];
        post?: never;
        /** Takes a flag away */
        delete: operations["deleteFlag"];
        options?: never;
        head?: never;
        /**
         * Changes the fields that the body names
         * @description A change is refused with 412 only if one of the same fields has changed since the entity tag was read.
         */
        patch: operations["changeFlag"];
        trace?: never;
    };
    "/api/v1/flags/{key}/rollback": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Emergency rollback: off for everybody
         * @description It needs no `If-Match` and no reason.
         */
        post: operations["rollBack"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/flags/{key}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins a new run of a guarded flag that has tripped */
        post: operations["resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/flags/{key}/history": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** What was changed of one flag, the newest first */
        get: operations["flagHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * People of whom is asked who gets a flag
         * @description Those of `[sample]` in esclusa.toml, at most 20,000 of them, with what flags look at and nothing else; none if there are none.
         */
        get: operations["people"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was changed, the newest first */
        get: operations["history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/history/{id}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the line. */
                id: string;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Puts back what a line of the history changed
         * @description If the same field has changed since, the answer is 409 with the fields in `conflicts`.
         */
        post: operations["undo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Who flips if a draft were saved */
        post: operations["preview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Every step to an answer, now or at a past moment */
        post: operations["explain"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every flag with a button that switches it off, as a page */
        get: operations["stopPage"];
        put?: never;
        /** Switches a flag off for everybody, from that page */
        post: operations["stopFlag"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/stop/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Begins a session of twelve hours with an admin token */
        post: operations["beginSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The page of the link that the server prints at its first start */
        get: operations["setupPage"];
        put?: never;
        /** Gives the first admin token, once */
        post: operations["setUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Something is published, and the server is not about to stop */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the connection to the store is */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Numbers for Prometheus */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A problem document (RFC 9457). */
        Problem: {
            title: string;
            status: number;
            /** @description Where, what, and what was expected. */
            detail: string;
        };
        Conflicts: {
            /** @description The fields that have changed since. */
            conflicts?: string[];
        } & components["schemas"]["Problem"];
        Stale: {
            current?: components["schemas"]["Flag"];
            conflicts?: {
                field: string;
                current: unknown;
                yours: unknown;
            }[];
        } & components["schemas"]["Problem"];
        Refused: {
            /** @description A JSON pointer to the field, if the table has no column for it. */
            place?: string;
            violations?: {
                flag: string;
                /** @description A JSON pointer within the flag. */
                place: string;
                code: string;
                problem: string;
            }[];
        } & components["schemas"]["Problem"];
        ManifestError: {
            error: {
                message: string;
                status: number;
            };
        };
        Login: {
            /** @description A token of the kind `admin`. */
            token: string;
        };
        Session: {
            /** @description Whom the history names. */
            name: string;
            /** @enum {unknown} */
            role: "viewer" | "editor" | "admin";
            may_roll_back: boolean;
            /** @description The only company that this person sees. */
            company: string | null;
            /** Format: date-time */
            expires: string;
        };
        /** @description The row of a flag, by the names of the table's columns; a request may also call them as the engine does, such as `rolloutPercentage`. What each column means is in `spec/SEMANTICS.md`. */
        Flag: {
            /** @description The key, unless there is a column `key`. */
            name?: unknown;
            /** @description Whether the flag is on. */
            enabled?: unknown;
            status?: unknown;
            description?: unknown;
            /** @description The share, from 0 to 100. */
            rollout_percentage?: unknown;
            target_plans?: unknown;
            target_roles?: unknown;
            target_companies?: unknown;
            target_regions?: unknown;
            target_users?: unknown;
            start_date?: unknown;
            end_date?: unknown;
            bucket_by?: unknown;
            salt?: unknown;
            variants?: unknown;
            rules?: unknown;
            prerequisites?: unknown;
            schedule?: unknown;
            overrides?: unknown;
            /** @description Whether pages may see the flag. */
            client?: unknown;
            guard?: unknown;
            /** @description Written by trips and new runs alone. */
            guard_state?: unknown;
        } & {
            [key: string]: unknown;
        };
        Read: {
            flag: components["schemas"]["Flag"];
        };
        Flags: {
            flags: {
                key: string;
                /** @description As `If-Match` takes it, with its quotation marks. */
                etag: string;
                flag: components["schemas"]["Flag"];
            }[];
        };
        Change: {
            flag: components["schemas"]["Flag"];
            reason?: string | null;
        };
        Reason: {
            reason?: string | null;
        };
        Changed: {
            flag: components["schemas"]["Flag"] | null;
            /** @description The id of the line that this change has written; none if nothing was to be changed. */
            history?: string;
        };
        Line: {
            id: string | null;
            at: string;
            flag: string;
            table: string | null;
            action: string;
            by: string | null;
            reason: string | null;
            /** @description The fields before; null for a new flag. */
            old: Record<string, never> | null;
            /** @description The fields after; null for a flag that is gone. */
            new: Record<string, never> | null;
        };
        History: {
            history: components["schemas"]["Line"][];
        };
        Trips: {
            /** @constant */
            esclusa: 1;
            /** @constant */
            layer: "trips";
            flags: Record<string, never>[];
        };
        /** @description A trip, with what `spec/track.schema.json` says of its evidence. */
        Trip: {
            /** @description The run in which the guard has tripped. */
            run: number;
        };
        Run: {
            run: number;
        };
        Resume: {
            reason?: string | null;
            /** @description How many steps of the schedule are cleared; one less than at the trip unless said. */
            at_step?: number | null;
        };
        Draft: {
            key: string;
            /** @description The fields of the change or of the new flag; null for a flag that goes. */
            flag: components["schemas"]["Flag"] | null;
            /** @description Callers who are counted besides. */
            people?: components["schemas"]["Context"][] | null;
            /** @description Attributes that group those who flip: plan, role, company and region unless said. */
            by?: string[] | null;
            /**
             * Format: date-time
             * @description The moment of the evaluation; now unless said.
             */
            at?: string | null;
        };
        Preview: {
            at: string;
            flags: components["schemas"]["FlagPreview"][];
            people: null | {
                counted: number;
                flipped: number;
                turned_off: number;
            };
        };
        FlagPreview: {
            flag: string;
            kind: string;
            fields: {
                field: string;
                old: unknown;
                new: unknown;
            }[];
            /** @description What it refers to and by which it changes. */
            through: string[];
            /** @description Fields whose change gives other people a place in the share. */
            reshuffles: string[];
            /** @description Who flips, if columns and a share say it. */
            exactly: components["schemas"]["Region"][] | null;
            /** @description Why they do not. */
            not_exact: string | null;
            people: null | {
                on: number;
                off: number;
                variant: number;
                value: number;
                groups: {
                    attribute: string;
                    values: {
                        of: string | null;
                        on: number;
                        off: number;
                        variant: number;
                        value: number;
                    }[];
                }[];
                examples: {
                    person: unknown;
                    direction: string;
                    before: string;
                    after: string;
                }[];
            };
        };
        Region: {
            direction: string;
            /** @description The first bucket, and the one after the last. */
            buckets: number[] | null;
            callers: {
                attribute: string;
                /** @enum {unknown} */
                is: "one_of" | "none_of" | "other_than" | "missing";
                values: string[];
            }[];
            sentence: string;
        };
        Question: {
            context?: components["schemas"]["MaybeContext"];
            /** @description The key of a flag; all flags unless said. */
            flag?: string | null;
            /**
             * Format: date-time
             * @description The moment; a past one is asked of the flags as they were.
             */
            at?: string | null;
        };
        Explained: {
            at: string;
            flags: {
                flag: string;
                explanation: Record<string, never>;
            }[];
        };
        People: {
            people: components["schemas"]["Context"][];
        };
        /** @description What is known of a caller: `user`, `company`, `plan`, `role`, `region` and other attributes. */
        Context: {
            [key: string]: unknown;
        };
        /** @description What is known of a caller: `user`, `company`, `plan`, `role`, `region` and other attributes. */
        MaybeContext: {
            [key: string]: unknown;
        } | null;
        Caller: {
            context?: components["schemas"]["MaybeContext"];
            /** @description The keys of flags; all that the token sees unless said. */
            flags?: string[] | null;
        };
        /** @description A document as `spec/snapshot.schema.json` describes it, or the rows of a table as a list. */
        Snapshot: Record<string, never> | Record<string, never>[];
        /** @description A document as `spec/snapshot.schema.json` describes it. */
        ClientSnapshot: Record<string, never>;
        Projection: Record<string, never>;
        Manifest: {
            flags: {
                key: string;
                /** @enum {unknown} */
                type: "boolean" | "integer" | "float" | "string" | "object";
                description?: string;
                defaultValue: unknown;
            }[];
        };
        Health: {
            /** @enum {unknown} */
            state: "starting" | "fresh" | "stale" | "failing";
            source: string;
            revision: number | null;
            age_ms: number | null;
            failures: number;
            last_error: string | null;
            flags: number | null;
            violations: number | null;
            version: string;
        };
    };
    responses: {
        /** @description The body is not JSON, has an unknown field or one twice, or is too deep; or a value of the address is wrong. */
        BadRequest: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no valid token and no session. */
        Unauthorized: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "WWW-Authenticate": components["headers"]["WwwAuthenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The token is of another kind, for pages of another origin or for another company; a cookie comes from another page; or the database does not let this role write. */
        Forbidden: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such flag, or no such line in the history. */
        NotFound: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The flag is there already, or has changed since; or this server only reads. */
        Conflict: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                ETag: components["headers"]["CurrentETag"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Conflicts"];
            };
        };
        /** @description A field has changed since the client has seen it; nothing is changed. */
        PreconditionFailed: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                ETag: components["headers"]["CurrentETag"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Stale"];
            };
        };
        /** @description The body is larger than 1 MiB. */
        TooLarge: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The engine or the table refuses the values; nothing is changed. */
        Unprocessable: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Refused"];
            };
        };
        /** @description `If-Match` is missing. */
        PreconditionRequired: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many streams of events are open. */
        TooManyStreams: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The change broke off, or a row of the table cannot be read. */
        Broken: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Nothing is published yet; or the store is away, read-only, or held by another transaction. */
        Unavailable: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The disk of the store is full; nothing is changed. */
        DiskFull: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no valid token. */
        ManifestUnauthorized: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "WWW-Authenticate": components["headers"]["WwwAuthenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ManifestError"];
            };
        };
        /** @description The token is for pages of another origin. */
        ManifestForbidden: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ManifestError"];
            };
        };
        /** @description Nothing is published yet. */
        ManifestUnavailable: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ManifestError"];
            };
        };
    };
    parameters: {
        /** @description The key of a flag; a slash is written `%2F`. */
        Key: string;
        /** @description The entity tag of the flag as the client has seen it, or `*` for whatever is there. */
        IfMatch: string;
        /** @description The entity tag of the flag as the client has seen it, or `*` for whatever is there. Required, unless `If-None-Match: *` makes the flag. */
        IfMatchOrNone: string;
        /** @description `*` makes the flag, and is refused if it is there. */
        IfNone: string;
        /** @description The entity tags of answers that the client has. */
        IfNoneMatch: string;
        /** @description The id of the last event that the client has seen; a newer snapshot is told at once. */
        LastEventId: string;
        /** @description How many lines. */
        Limit: number;
        /** @description How many of the newest lines are left out. */
        Offset: number;
    };
    requestBodies: never;
    headers: {
        /** @description The entity tag of the answer, or of the flag after a change; missing for a flag that is gone. */
        ETag: string;
        /** @description The entity tag of the flag that is there now, if there is one. */
        CurrentETag: string;
        /** @description The path of what was made, or of the page that follows. */
        Location: string;
        /** @description What the answer depends on. */
        Vary: string;
        /** @description How long the answer may be kept. */
        CacheControl: string;
        /** @description Seconds after which to try again. */
        RetryAfter: string;
        WwwAuthenticate: "Bearer";
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    snapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description The entity tags of answers that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshot. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    Vary: components["headers"]["Vary"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Snapshot"];
                };
            };
            /** @description The client has this answer already. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    events: {
        parameters: {
            query?: never;
            header?: {
                /** @description The id of the last event that the client has seen; a newer snapshot is told at once. */
                "Last-Event-ID"?: components["parameters"]["LastEventId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream that does not end. Each event is named `snapshot`, its id is the revision, and its data `{"revision": 42}`. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            429: components["responses"]["TooManyStreams"];
            503: components["responses"]["Unavailable"];
        };
    };
    clientSnapshot: {
        parameters: {
            query?: never;
            header?: {
                /** @description The entity tags of answers that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Caller"];
            };
        };
        responses: {
            /** @description The client snapshot. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClientSnapshot"];
                };
            };
            /** @description The client has this answer already. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            503: components["responses"]["Unavailable"];
        };
    };
    projection: {
        parameters: {
            query?: never;
            header?: {
                /** @description The entity tags of answers that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Caller"];
            };
        };
        responses: {
            /** @description The projection. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Projection"];
                };
            };
            /** @description The client has this answer already. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            503: components["responses"]["Unavailable"];
        };
    };
    trips: {
        parameters: {
            query?: never;
            header?: {
                /** @description The entity tags of answers that the client has. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document of trips, as `spec/track.schema.json` describes it. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Trips"];
                };
            };
            /** @description The client has this answer already. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            503: components["responses"]["Unavailable"];
        };
    };
    proposeTrip: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of the flag; a slash is written `%2F`. */
                flag: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Trip"];
            };
        };
        responses: {
            /** @description The flag has tripped before; the answer is that trip. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never> | null;
                };
            };
            /** @description The flag is off now. */
            201: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            /** @description The flag is in another run, which the answer names; or this server cannot write trips. */
            409: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    manifest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The manifest. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    /** @description What the API of the manifest can do here. */
                    "X-Manifest-Capabilities": "read";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Manifest"];
                };
            };
            401: components["responses"]["ManifestUnauthorized"];
            403: components["responses"]["ManifestForbidden"];
            503: components["responses"]["ManifestUnavailable"];
        };
    };
    description: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An OpenAPI document. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            401: components["responses"]["Unauthorized"];
        };
    };
    beginSessionOfPage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Login"];
            };
        };
        responses: {
            /** @description The session, in a cookie too. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Set-Cookie": string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is no session any more. */
            204: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    "Set-Cookie": string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            403: components["responses"]["Forbidden"];
        };
    };
    listFlags: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The flags, each with its key and entity tag. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Flags"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    createFlag: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Change"];
            };
        };
        responses: {
            /** @description The flag is made. */
            201: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    readFlag: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The flag. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Read"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    putFlag: {
        parameters: {
            query?: never;
            header?: {
                /** @description The entity tag of the flag as the client has seen it, or `*` for whatever is there. Required, unless `If-None-Match: *` makes the flag. */
                "If-Match"?: components["parameters"]["IfMatchOrNone"];
                /** @description `*` makes the flag, and is refused if it is there. */
                "If-None-Match"?: components["parameters"]["IfNone"];
            };
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Change"];
            };
        };
        responses: {
            /** @description The flag is changed, or was the same already. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            /** @description The flag is made. */
            201: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            428: components["responses"]["PreconditionRequired"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    deleteFlag: {
        parameters: {
            query?: never;
            header: {
                /** @description The entity tag of the flag as the client has seen it, or `*` for whatever is there. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description The flag is gone; it can be put back by undoing the line of the history. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            428: components["responses"]["PreconditionRequired"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    changeFlag: {
        parameters: {
            query?: never;
            header: {
                /** @description The entity tag of the flag as the client has seen it, or `*` for whatever is there. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Change"];
            };
        };
        responses: {
            /** @description The flag is changed, or was the same already. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            428: components["responses"]["PreconditionRequired"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    rollBack: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description The flag is off. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    resume: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Resume"];
            };
        };
        responses: {
            /** @description The new run. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    flagHistory: {
        parameters: {
            query?: {
                /** @description How many lines. */
                limit?: components["parameters"]["Limit"];
                /** @description How many of the newest lines are left out. */
                offset?: components["parameters"]["Offset"];
            };
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    people: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Contexts. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["People"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    history: {
        parameters: {
            query?: {
                /** @description How many lines. */
                limit?: components["parameters"]["Limit"];
                /** @description How many of the newest lines are left out. */
                offset?: components["parameters"]["Offset"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The lines. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    undo: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the line. */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Reason"];
            };
        };
        responses: {
            /** @description It is put back; `flag` is null if the flag is gone by that. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Changed"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    preview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Draft"];
            };
        };
        responses: {
            /** @description Who flips, with the numbers of `esclusa diff`. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    explain: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Question"];
            };
        };
        responses: {
            /** @description The explanations. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explained"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            422: components["responses"]["Unprocessable"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    stopPage: {
        parameters: {
            query?: {
                /** @description A part of the keys that are shown. */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The page that asks for an admin token. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The token is of another kind. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The server only reads. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description Nothing is published. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    stopFlag: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/x-www-form-urlencoded": {
                    flag?: string;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description The page, with what was done. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The form cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The page that asks for an admin token. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The form is of another page, or the token of another kind. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description There is no such flag. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The server only reads. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The table refuses it. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The change broke off. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The store is away. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The disk is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    beginSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/x-www-form-urlencoded": {
                    token?: string;
                };
            };
        };
        responses: {
            /** @description The session, in a cookie. */
            303: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Set-Cookie": string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The form cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description It is no admin token. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The form is of another page. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    setupPage: {
        parameters: {
            query?: {
                code?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The form. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The link is used up or wrong. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    setUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/x-www-form-urlencoded": {
                    code?: string;
                    name?: string;
                };
            };
        };
        responses: {
            /** @description The token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The form cannot be read. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The form is of another page. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The link is used up or wrong. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The body is too large. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The token cannot be made. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The store is away. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The disk is full. */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It lives. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": "live\n";
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is ready. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": "ready\n";
                };
            };
            503: components["responses"]["Unavailable"];
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state, also if it is bad. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers as OpenMetrics. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                };
            };
        };
    };
}
