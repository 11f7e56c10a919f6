await gatewayMain()
