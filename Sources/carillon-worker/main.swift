await workerMain()
