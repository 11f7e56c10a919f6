/// A plain function, so that nothing below it inherits the main actor of top-level code.
///
/// `grpc-ping serve PORT` answers; `grpc-ping unary|stream PORT BYTES IN-FLIGHT SECONDS` asks, and prints round trips a second.
nonisolated func runPing() async {
    let words = CommandLine.arguments.dropFirst()
    let numbers = words.dropFirst().compactMap { Int($0) }
    do {
        switch (words.first, numbers.count) {
        case ("serve", 1): try await PingServer.serve(port: numbers[0])
        case ("unary", 4):
            print(try await PingClient(port: numbers[0], bytes: numbers[1]).unary(inFlight: numbers[2], numbers[3]))
        case ("stream", 4):
            print(try await PingClient(port: numbers[0], bytes: numbers[1]).stream(inFlight: numbers[2], numbers[3]))
        default: fatalError("usage: grpc-ping serve PORT | unary|stream PORT BYTES IN-FLIGHT SECONDS")
        }
    } catch {
        fatalError("\(error)")
    }
}
