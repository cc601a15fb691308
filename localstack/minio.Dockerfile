# MinIO's community edition comes as source alone; this is its last commit.
FROM golang:1.26-alpine AS build
ARG MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
RUN CGO_ENABLED=0 go install -trimpath -ldflags="-s -w" "github.com/minio/minio@${MINIO_VERSION}"

FROM alpine:3.22
RUN adduser -D -H -u 10001 minio && install -d -o minio -g minio -m 0700 /data /queue
COPY --from=build /go/bin/minio /usr/local/bin/minio
USER 10001
ENV HOME=/tmp
EXPOSE 9000
ENTRYPOINT ["minio", "server", "--quiet", "--address", ":9000", "/data"]
