r"""`amt train` on a cluster.

ray job submit --working-dir . -- python jobs/train.py s3://BUCKET/workspace \
    --bundle /models/amt_ray --preset base --device cuda
"""

from entry import run

if __name__ == "__main__":
    run("train")
