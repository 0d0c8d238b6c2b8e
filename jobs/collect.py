"""`amt collect` on a cluster.

ray job submit --working-dir . -- python jobs/collect.py s3://BUCKET/midi s3://BUCKET/workspace
"""

from entry import run

if __name__ == "__main__":
    run("collect")
