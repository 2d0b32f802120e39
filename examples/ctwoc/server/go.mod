module gke-rollout.test/ctwoc

go 1.26.0
