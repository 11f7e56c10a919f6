await runSchedulerCommand()
