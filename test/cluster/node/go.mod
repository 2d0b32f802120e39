module gke-rollout.test/node

go 1.26.0
