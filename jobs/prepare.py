"""`amt prepare` on a cluster.

ray job submit --working-dir . -- python jobs/prepare.py s3://BUCKET/workspace
"""

from entry import run

if __name__ == "__main__":
    run("prepare")
