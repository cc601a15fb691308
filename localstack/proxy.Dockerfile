# Caddy that runs as nobody in particular, on ports that need no privilege; Compose publishes them as 80 and 443.
FROM caddy:2-alpine
RUN setcap -r /usr/bin/caddy && adduser -D -H -u 10003 caddy && chown -R caddy:caddy /data /config
COPY Caddyfile /etc/caddy/Caddyfile
USER 10003
EXPOSE 8080 8443
