# NATS that runs as nobody in particular, with its configuration.
FROM nats:2.12-alpine
RUN adduser -D -H -u 10002 nats && install -d -o nats -g nats -m 0700 /data
COPY nats.conf /etc/nats/fitsvault.conf
USER 10002
EXPOSE 4222
CMD ["nats-server", "--config", "/etc/nats/fitsvault.conf"]
