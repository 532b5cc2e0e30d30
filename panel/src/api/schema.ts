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
    "/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * How often flags were evaluated, and how events ended, by minute
         * @description Section 4 of `spec/GUARD.md`. Of one process and minute the highest count stands, so a report may come again. Minutes that are more than two days old, or in the future, are not counted.
         */
        post: operations["reportUsage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/track": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Events of pages and apps
         * @description Section 1 of `spec/GUARD.md`. The caller is the company of the token, if it is for one.
         */
        post: operations["reportEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/facts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Which units an app has seen
         * @description Section 3 of `spec/GUARD.md`. Needs a token of the kind `server` or `admin`.
         */
        post: operations["reportFacts"];
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
    "/api/v1/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Changes the password of the account of this session */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The sessions that hold, the newest first
         * @description For admins.
         */
        get: operations["sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Ends a session
         * @description For admins.
         */
        delete: operations["endOtherSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The accounts of people
         * @description For admins.
         */
        get: operations["accounts"];
        put?: never;
        /**
         * Makes an account
         * @description For admins.
         */
        post: operations["createAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes an account away
         * @description For admins. The last admin stays.
         */
        delete: operations["deleteAccount"];
        options?: never;
        head?: never;
        /**
         * Changes the fields that the body names
         * @description For admins. Another password, role or company ends the sessions of the account.
         */
        patch: operations["changeAccount"];
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tokens that are kept, without their text
         * @description For admins. Those of the configuration are not among them.
         */
        get: operations["tokens"];
        put?: never;
        /**
         * Makes a token
         * @description For admins.
         */
        post: operations["createToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes a token away
         * @description For admins.
         */
        delete: operations["deleteToken"];
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
    "/api/v1/flags/{key}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The key of a flag; a slash is written `%2F`. */
                key: components["parameters"]["Key"];
            };
            cookie?: never;
        };
        /** What a flag does: uses, errors, adoption and durations in the last hours */
        get: operations["flagMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
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
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How releases are, in the numbers that a team looks at first */
        get: operations["overview"];
        put?: never;
        post?: never;
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
        /** Begins a session of twelve hours with an admin token, or with the address and password of an account */
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
        /** Makes the account of the first admin, or gives the first admin token, once */
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
        } | {
            email: string;
            password: string;
        };
        Passwords: {
            old: string;
            new: string;
        };
        KeptSession: {
            id: string;
            /** @description The id of the account, if it is of one. */
            account: string | null;
            email: string | null;
            /** @description The id of the token that it was begun with. */
            token: string | null;
            /** @description From where it was begun. */
            address: string;
            /** Format: date-time */
            began: string;
            /** Format: date-time */
            expires: string;
            /** @description Whether it is that of this request. */
            is_own: boolean;
        };
        Sessions: {
            sessions: components["schemas"]["KeptSession"][];
        };
        Account: {
            /** Format: uuid */
            id: string;
            email: string;
            name: string;
            /** @enum {unknown} */
            role: "viewer" | "editor" | "admin";
            may_roll_back: boolean;
            company: string | null;
            locale: string | null;
            /** Format: date-time */
            created: string;
        };
        Accounts: {
            accounts: components["schemas"]["Account"][];
        };
        NewAccount: {
            email: string;
            /** @description Whom the history names. */
            name: string;
            password: string;
            /** @enum {unknown} */
            role: "viewer" | "editor" | "admin";
            /** @description An admin may in any case. */
            may_roll_back?: boolean;
            /** @description The only company that this person sees. */
            company?: string | null;
            /** @description The language of pages. */
            locale?: string | null;
        };
        AccountChange: {
            email?: string;
            /** @description Whom the history names. */
            name?: string;
            password?: string;
            /** @enum {unknown} */
            role?: "viewer" | "editor" | "admin";
            /** @description An admin may in any case. */
            may_roll_back?: boolean;
            /** @description The only company that this person sees. */
            company?: string | null;
            /** @description The language of pages. */
            locale?: string | null;
        };
        NewToken: {
            /** @enum {unknown} */
            kind: "server" | "client" | "ingest" | "admin";
            /** @description Whom the history names. */
            name?: string | null;
            /**
             * @description What a token of the kind `admin` may do; everything without it.
             * @enum {unknown}
             */
            role?: "viewer" | "editor" | "admin" | null;
            /** @description The pages that may use it, such as `https://app.example.com`; without any every page may. */
            origins?: string[] | null;
            /** @description The only company that it may ask for. */
            company?: string | null;
            /** @description A time to come. */
            expires?: string | null;
        };
        Token: {
            id: string;
            /** @enum {unknown} */
            kind: "server" | "client" | "ingest" | "admin";
            name: string | null;
            /**
             * @description What a token of the kind `admin` may do; everything without it.
             * @enum {unknown}
             */
            role: "viewer" | "editor" | "admin" | null;
            origins: string[];
            company: string | null;
            expires: string | null;
            /** Format: date-time */
            created: string;
            /** @description When it was used last, to within ten seconds. */
            used: string | null;
            /** @description Its text, only in the answer that makes it. */
            token?: string;
        };
        Tokens: {
            tokens: components["schemas"]["Token"][];
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
        /** @description The body of `POST /v1/usage`. */
        Usage: {
            /** @constant */
            esclusa: 1;
            process: string;
            revision: number | null;
            counts: {
                flag: string;
                variant: string | null;
                reason: string;
                /** Format: date-time */
                minute: string;
                count: number;
            }[];
            outcomes?: {
                flag: string;
                event: string;
                on: boolean;
                /** Format: date-time */
                minute: string;
                count: number;
                errors: number;
                duration_ms?: {
                    p50: number;
                    p95: number;
                };
            }[];
            dropped?: number;
        };
        /** @description The body of `POST /v1/track`: at most 16 KiB. */
        Events: {
            /** @constant */
            esclusa: 1;
            events: components["schemas"]["Event"][];
        };
        Event: {
            /** @description The key of a flag, the key followed by `.feedback`, or an event that a guard names. */
            event: string;
            action?: string;
            /** @enum {unknown} */
            shown?: "children" | "fallback";
            variant?: string;
            /** @default false */
            error: boolean;
            duration_ms?: number;
            value?: number;
            fields?: {
                [key: string]: boolean | number | string;
            };
        };
        EventsTaken: {
            taken: number;
            refused: {
                at: number;
                problem: string;
            }[];
        };
        /** @description The body of `POST /v1/facts`. */
        Facts: {
            /** @constant */
            esclusa: 1;
            process: string;
            facts: components["schemas"]["Fact"][];
        };
        Fact: {
            flag: string;
            run: number;
            share: number;
            day: number;
            metric: string;
            unit: string;
            on: boolean;
            /** Format: date-time */
            at: string;
        };
        FactsTaken: {
            taken: number;
        };
        /** @description Uses are events that are no views. Percentiles are within 5 %, in milliseconds; a rate without numbers is null. */
        Figures: {
            evaluations: number;
            uses: number;
            errors: number;
            error_rate: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
        };
        FlagMetrics: {
            flag: string;
            /** Format: date-time */
            from: string;
            /** Format: date-time */
            to: string;
            /** @description Uses by people who have the feature. */
            usage_count: number;
            /** @description Uses that ended in an error. */
            error_rate: number | null;
            /** @description By how much the 95th percentile of durations is longer with the feature than without: 0.5 is half as long again. */
            performance_impact: number | null;
            /** @description Clicks for each view of the feature. */
            adoption_rate: number | null;
            /** @description The mean of the values of the event `KEY.feedback`. */
            user_feedback_score: number | null;
            feedback_count: number;
            /** @description The last hour with a number. */
            last_updated: string | null;
            evaluations: number;
            /** @description What is not known to be of the off arm is in `on`. */
            arms: {
                on: components["schemas"]["Figures"];
                off: components["schemas"]["Figures"];
            };
            variants: {
                variant: string | null;
                evaluations: number;
                uses: number;
                errors: number;
                error_rate: number | null;
                p50_ms: number | null;
                p95_ms: number | null;
            }[];
            /** @description Evaluations by reason. */
            reasons: {
                [key: string]: number;
            };
            hours: {
                /** Format: date-time */
                hour: string;
                evaluations: number;
                uses: number;
                errors: number;
                error_rate: number | null;
                p50_ms: number | null;
                p95_ms: number | null;
            }[];
            /** @description Units of the present run that apps have seen, at most 3,584 by epoch and metric. */
            units: {
                on: boolean;
                metric: string;
                units: number;
            }[];
            guard: null | {
                run: number;
                policy: unknown;
                trip: unknown;
            };
        };
        Overview: {
            /** Format: date-time */
            at: string;
            /** @description How many hours `now` is; `before` is as many before these. */
            hours: number;
            revision: number | null;
            /** @description Of this server. */
            uptime_s: number;
            /** @description Active are those that are not off for everybody. */
            features: {
                all: number;
                active: number;
            };
            /** @description Drafts, windows that have not begun, and steps of schedules that have not come. */
            pending_releases: {
                all: number;
                drafts: number;
                windows: number;
                steps: number;
            };
            tripped_guards: {
                flag: string;
                trip: unknown;
            }[];
            health: {
                /** @enum {unknown} */
                state: "green" | "yellow" | "red";
                reasons: string[];
            };
            evaluations: {
                now: number;
                before: number;
            };
            uses: {
                now: number;
                before: number;
            };
            adoption_rate: {
                now: number | null;
                before: number | null;
            };
            error_rate: {
                now: number | null;
                before: number | null;
            };
            /** @description The highest rate first; `flag` is null for flags without numbers of their own. */
            errors_by_feature: {
                flag: string | null;
                uses: number;
                errors: number;
                error_rate: number | null;
            }[];
            /** @description Counts that apps have lost or that came too late, since this server has begun. */
            missing_counts: number;
            rollback: null | {
                flag: string;
                at: string;
                by: string | null;
                /** @description From the change to the answers of this server; null if it has not seen it. */
                served_ms: number | null;
                /** @description Clients that have asked with an earlier revision within five minutes. */
                clients: number | null;
                /** @description From the change to the last of them. */
                clients_ms: number | null;
            };
            /** @description Polls for the snapshot in the last five minutes, and those with the current revision. */
            polls: {
                all: number;
                current: number;
                share: number | null;
            };
            /** @description Processes that have reported in the last five minutes, and those with the current revision. */
            processes: {
                all: number;
                current: number;
                share: number | null;
            };
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
        /** @description The role is too small; the token is of another kind, for pages of another origin or for another company; a cookie comes from another page; or the database does not let this role write. */
        Forbidden: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such flag, account, token or session, or no such line in the history. */
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
        /** @description The type of the body is another than `application/json`. */
        UnsupportedType: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The page or the token reports too often. */
        TooManyReports: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The password of this account, or one from this address, was tried five times within a minute. */
        TooOften: {
            headers: {
                "Cache-Control": components["headers"]["CacheControl"];
                "Retry-After": components["headers"]["RetryAfter"];
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
        /** @description An id as the list has it. */
        Id: string;
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
        /** @description How many hours, the present one among them; at most those that are kept. */
        Hours: number;
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
    reportUsage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Usage"];
            };
        };
        responses: {
            /** @description It is counted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyReports"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    reportEvents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Events"];
            };
        };
        responses: {
            /** @description How many events were taken, and why others were not. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsTaken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyReports"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    reportFacts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Facts"];
            };
        };
        responses: {
            /** @description How many facts were taken. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactsTaken"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyReports"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooOften"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
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
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Passwords"];
            };
        };
        responses: {
            /** @description It is changed, and the other sessions of the account have ended. */
            204: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            429: components["responses"]["TooOften"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sessions. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sessions"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    endOtherSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id as the list has it. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended. */
            204: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    accounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The accounts. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accounts"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    createAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAccount"];
            };
        };
        responses: {
            /** @description The account. */
            201: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    deleteAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id as the list has it. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, and its sessions with it. */
            204: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    changeAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id as the list has it. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AccountChange"];
            };
        };
        responses: {
            /** @description The account. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tokens. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
        };
    };
    createToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewToken"];
            };
        };
        responses: {
            /** @description The token, with its text, which is shown this once. */
            201: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"];
                };
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
        };
    };
    deleteToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description An id as the list has it. */
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is refused from now on, and its sessions have ended. */
            204: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            500: components["responses"]["Broken"];
            503: components["responses"]["Unavailable"];
            507: components["responses"]["DiskFull"];
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
    flagMetrics: {
        parameters: {
            query?: {
                /** @description How many hours, the present one among them; at most those that are kept. */
                hours?: components["parameters"]["Hours"];
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
            /** @description The figures. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FlagMetrics"];
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
    overview: {
        parameters: {
            query?: {
                /** @description How many hours, the present one among them; at most those that are kept. */
                hours?: components["parameters"]["Hours"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers. */
            200: {
                headers: {
                    "Cache-Control": components["headers"]["CacheControl"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
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
                    email?: string;
                    password?: string;
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
            /** @description The server keeps no accounts. */
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
            /** @description Passwords were tried too often. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description The session cannot be made. */
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
                    email?: string;
                    password?: string;
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
