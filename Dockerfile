# Two small programs, each in an image of its own:
#
#     docker build --target demo --tag esclusa-demo . && docker run --rm esclusa-demo
#     docker compose up                                  # an app that stays fresh from Postgres: compose.yaml
FROM rust:1.95.0-bookworm AS build
WORKDIR /esclusa
COPY . .
# The toolchain of the image, without the components that only developers need.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN cargo build --release --locked --package xtask
RUN cargo build --release --locked --package esclusa-sync --features postgres --example rollback

FROM debian:bookworm-slim AS demo
COPY --from=build /esclusa/target/release/xtask /usr/local/bin/esclusa
COPY examples/data/feature_flags.json /feature_flags.json
USER nobody
CMD ["esclusa", "demo", "--engine-only", "--rows", "/feature_flags.json"]

FROM debian:bookworm-slim AS app
COPY --from=build /esclusa/target/release/examples/rollback /usr/local/bin/watch-flag
USER nobody
# `watch-flag --watch postgres://… FLAG` prints `on` or `off`, and the milliseconds since 1970, at each change.
ENTRYPOINT ["watch-flag", "--watch"]
