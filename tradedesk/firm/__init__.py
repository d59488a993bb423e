"""What a firm of several processes has between them: Redis, and Celery on it. Nothing in it is the truth."""
