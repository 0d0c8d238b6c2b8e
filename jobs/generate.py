"""`amt generate` on a cluster.

ray job submit --working-dir . -- python jobs/generate.py "a slow waltz" --model /models/amt_ray -o /tmp/waltz.mid
"""

from entry import run

if __name__ == "__main__":
    run("generate")
