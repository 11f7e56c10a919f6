await runPing()
