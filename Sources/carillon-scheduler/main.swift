await schedulerMain()
