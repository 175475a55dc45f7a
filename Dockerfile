# One image for every process: `init` once, then a web server and as many workers as are needed (docker-compose.yml).
FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 FLOWMAESTRO_HOME=/data
RUN useradd --create-home flowmaestro && install -d -o flowmaestro -m 700 /data
WORKDIR /app
COPY requirements/base.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/base.txt
COPY . .
USER flowmaestro
VOLUME /data
EXPOSE 8000
# SIGTERM lets a worker finish what it runs; give it the time (stop_grace_period).
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "manage.py"]
CMD ["worker"]
