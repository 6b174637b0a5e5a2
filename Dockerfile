# A small image without root and without npm. Built from a clone: docker build -t drift-segment-source .
# For a build that is the same tomorrow, name the base by its digest: --build-arg NODE=node:24-alpine@sha256:…
ARG NODE=node:24-alpine

FROM ${NODE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM ${NODE}
# Nothing here installs packages any more, so nothing here can.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* \
  && mkdir /data && chown node:node /data \
  && ln -s /app/bin/drift-segment-source.mjs /usr/local/bin/drift-segment-source
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
# What the image holds is listed in .dockerignore.
COPY . .
# Only the container's own network reaches these addresses; the host decides which ports it publishes.
ENV NODE_ENV=production HOST=0.0.0.0 METRICS_HOST=0.0.0.0 DATABASE_URL=sqlite:/data/drift-segment-source.db
USER node
VOLUME /data
EXPOSE 8080 9464
# /live and not /ready: with a full disk the service still sends what it has, and a restart would not help.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD wget -q -O /dev/null "http://127.0.0.1:${PORT:-8080}/live"
# Without a second process between: SIGTERM reaches the service itself, which drains and loses nothing.
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--disable-sigusr1", "/app/src/main.ts"]
CMD ["serve"]
