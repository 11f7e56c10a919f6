SchedulerCommand.main()
