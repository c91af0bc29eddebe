# docker build -t georouter .
# docker run -p 5300:5300/udp -p 5300:5300/tcp -v "$PWD/georouter.yaml:/etc/georouter/georouter.yaml:ro" georouter
# The policy must listen on 0.0.0.0:5300 and keep its state in /var/lib/georouter.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/georouter && /opt/georouter/bin/pip install --no-cache-dir .

FROM python:3.13-slim
RUN useradd --system --home-dir /var/lib/georouter --create-home georouter
COPY --from=build /opt/georouter /opt/georouter
COPY LICENSE NOTICE /usr/share/doc/georouter/
ENV PATH=/opt/georouter/bin:$PATH
USER georouter
WORKDIR /var/lib/georouter
VOLUME /var/lib/georouter
EXPOSE 5300/udp 5300/tcp
ENTRYPOINT ["georouter"]
CMD ["serve"]
