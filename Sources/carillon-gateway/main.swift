await runGatewayCommand()
