import os

bind = f"{os.environ['HOST']}:{os.environ['PORT']}"
wsgi_app = "shop.wsgi"
workers = 2
# Threads for the sake of connections that stay open, which `sync` workers close after each answer.
worker_class = "gthread"
threads = 4
keepalive = 60
preload_app = True
worker_tmp_dir = "/dev/shm"
loglevel = "warning"
