"""The Ray shell: each stage names the functions, the resources and the schemas, and holds no knowledge of music."""
