# syntax=docker/dockerfile:1

# One image with every program of the marketplace; the command says which one runs.

FROM rust:1.94.1-bookworm AS build
WORKDIR /src
COPY . .
# The caches outlive the build, so that a change costs its own crate. They are not part of the
# image: the programs are copied out in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bins -p cli -p api -p worker -p scheduler \
    && mkdir /programs \
    && cp target/release/awareness \
          target/release/awareness-api \
          target/release/awareness-worker \
          target/release/awareness-scheduler \
          /programs/

FROM debian:bookworm-slim
# Roots for TLS to S3 and to webhook receivers; curl asks /livez, see compose.yaml.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin awareness \
    && install --directory --owner=10001 --group=10001 /spool
COPY --from=build /programs/ /usr/local/bin/
USER 10001:10001
# The API, and the operations ports of api, worker and scheduler.
EXPOSE 8080 9090 9091 9092
STOPSIGNAL SIGTERM
CMD ["awareness", "--help"]
