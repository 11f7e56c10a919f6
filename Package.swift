// swift-tools-version: 6.2
import PackageDescription

/// The Swift settings of all targets, strictest first.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Faults that the simulation injects, one at a time. They are compiled only in debug builds.
let faultInjection: [SwiftSetting] = [.define("FAULT_INJECTION", .when(configuration: .debug))]

/// A library target with the common settings.
func module(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// An executable target, which connects a process to its adapters.
func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test target.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird: [Target.Dependency] = [
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let package = Package(
    name: "carillon",
    products: [
        .library(name: "CarillonCron", targets: ["CarillonCron"]),
        .executable(name: "carillon", targets: ["carillon"]),
        .executable(name: "carillon-scheduler", targets: ["carillon-scheduler"]),
        .executable(name: "carillon-worker", targets: ["carillon-worker"]),
        .executable(name: "carillon-gateway", targets: ["carillon-gateway"]),
        // The benchmarks preload this library into programs to count allocations.
        .library(name: "carillon-allocations", type: .dynamic, targets: ["CAllocationCounter"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        // Queues.
        .package(url: "https://github.com/apple/swift-collections.git", exact: "1.6.0"),
        // The metrics API that libraries use.
        .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
        // Parses the configuration file of the command line.
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        // Dependencies of Hummingbird that the gateway uses directly.
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    ],
    targets: [
        // C modules
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CProtobuf", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(name: "CCarillonProto", dependencies: ["CProtobuf"]),

        // Pure modules
        module("CarillonCron", []),
        .target(
            name: "CarillonCore",
            dependencies: ["CarillonCron"],
            swiftSettings: strict + faultInjection
        ),
        module("CarillonWire", ["CarillonCore", "CarillonCron", "CCarillonProto", "CProtobuf"]),
        // JSON text and values, and RPC messages as JSON: only for the gateway and the command line.
        module("CarillonJSON", ["CarillonCore", "CarillonWire", "CCarillonProto", "CProtobuf"]),

        // Runtime: shared parts of the adapters
        module("CarillonRuntime", ["CarillonCore", "CLinux", logging]),

        // Adapters
        module(
            "CarillonRPC",
            [
                "CarillonCore", "CarillonRuntime", "CarillonWire", logging,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        // The RPC client with a JSON interface.
        module("CarillonClient", ["CarillonCore", "CarillonJSON", "CarillonRPC", "CarillonWire"]),
        module("CarillonPostgres", ["CarillonCore", "CarillonCron", "CarillonRuntime", "CPostgres", logging, deque]),
        module("CarillonCurl", ["CarillonCore", "CarillonRuntime", "CCurl", "CLinux"]),
        module(
            "CarillonSystem",
            ["CarillonCore", "CarillonCron", "CarillonRuntime", logging, coreMetrics, arguments]
        ),
        // The HTTP server of every process, and the probes and metrics.
        module(
            "CarillonHTTP",
            ["CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonSystem", logging] + hummingbird
        ),

        // Processes
        module(
            "CarillonScheduler",
            ["CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonWire", "CarillonSystem", logging]
        ),
        module("CarillonWorker", ["CarillonCore", "CarillonRuntime", "CarillonWire", "CarillonSystem", logging]),
        module(
            "CarillonGateway",
            [
                "CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonJSON", "CarillonClient", "CarillonRPC",
                "CarillonHTTP", "CarillonSystem", logging,
            ] + hummingbird
        ),
        module(
            "CarillonCommand",
            [
                "CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonJSON", "CarillonClient", "CarillonRPC",
                "CarillonSystem", arguments, logging,
                .product(name: "Yams", package: "Yams"),
                // `carillon listen`
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),

        // Executables
        executable(
            "carillon-scheduler",
            [
                "CarillonScheduler", "CarillonPostgres", "CarillonRPC", "CarillonWire", "CarillonSystem",
                "CarillonHTTP", "CarillonCore", "CarillonCron", "CarillonRuntime", arguments, logging, coreMetrics,
            ]
        ),
        executable(
            "carillon-worker",
            [
                "CarillonWorker", "CarillonCurl", "CarillonRPC", "CarillonWire", "CarillonSystem", "CarillonCore",
                "CarillonHTTP", "CarillonRuntime", arguments, logging, coreMetrics,
            ]
        ),
        executable(
            "carillon-gateway",
            [
                "CarillonGateway", "CarillonHTTP", "CarillonRPC", "CarillonRuntime", "CarillonSystem", arguments,
                logging,
                coreMetrics, .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        executable("carillon", ["CarillonCommand"]),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["CarillonCore", "CarillonCron", "CLinux", logging],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests("CarillonCronTests", ["CarillonCron"]),
        tests("CarillonCoreTests", ["CarillonCore", "CarillonCron", "TestSupport"]),
        tests(
            "CarillonWireTests",
            ["CarillonWire", "CarillonJSON", "CarillonCore", "CarillonCron", "TestSupport"]
        ),
        tests(
            "CarillonRPCTests",
            [
                "CarillonRPC", "CarillonClient", "CarillonJSON", "CarillonRuntime", "CarillonWire", "CarillonCore",
                "TestSupport", logging,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        tests("CarillonRuntimeTests", ["CarillonRuntime", "CarillonCore", "TestSupport", logging]),
        tests(
            "CarillonSchedulerTests",
            [
                "CarillonScheduler", "CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonWire",
                "CarillonSystem",
                "TestSupport",
                logging,
            ]
        ),
        tests(
            "CarillonSystemTests",
            ["CarillonSystem", "CarillonCore", "CarillonCron", "CarillonRuntime", logging, coreMetrics, arguments]
        ),
        tests(
            "CarillonHTTPTests",
            ["CarillonHTTP", "CarillonCore", "CarillonRuntime", "CarillonSystem", logging] + hummingbird
        ),
        tests(
            "CarillonPostgresTests",
            ["CarillonPostgres", "CarillonCore", "CarillonCron", "CarillonRuntime", "TestSupport", logging]
        ),
        tests(
            "CarillonCurlTests",
            [
                "CarillonCurl", "CarillonCore", "CarillonSystem", "CCurl", "TestSupport", logging,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),
        tests(
            "CarillonWorkerTests",
            [
                "CarillonWorker", "CarillonCore", "CarillonRuntime", "CarillonWire", "CarillonSystem", "TestSupport",
                logging,
            ]
        ),
        tests(
            "CarillonGatewayTests",
            [
                "CarillonGateway", "CarillonCore", "CarillonRuntime", "CarillonWire", "CarillonJSON", "CarillonRPC",
                "CarillonHTTP", "CarillonSystem", "TestSupport", logging,
                // HummingbirdTesting is not used: it depends on AsyncHTTPClient and NIOSSL, which add minutes to a
                // clean build. The tests call the responder, or a real server on a free loopback port if the connection
                // matters.
            ] + hummingbird
        ),
        tests(
            "CarillonCommandTests",
            [
                "CarillonCommand", "CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonWire", "CarillonJSON",
                "CarillonSystem", "TestSupport", arguments, logging,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["CarillonCore", "CarillonCron", "CarillonWire", "TestSupport"],
            exclude: ["unreached.txt", "fault-seeds.txt"],
            swiftSettings: strict + faultInjection
        ),
        // Benchmarks: `make bench`
        .target(name: "CAllocations", path: "Tests/Benchmarks/CAllocations"),
        .target(name: "CAllocationCounter", path: "Tests/Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "carillon-bench",
            dependencies: [
                "CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonWire", "CarillonJSON", "CarillonClient",
                "CarillonRPC", "CarillonSystem", "TestSupport", "CCarillonProto", "CCurl", "CLinux", "CAllocations",
                arguments, logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOExtras", package: "swift-nio-extras"),
            ] + hummingbird,
            path: "Tests/Benchmarks",
            exclude: ["CAllocationCounter", "CAllocations", "CronPeers", "README.md", "results"],
            swiftSettings: strict
        ),
        tests(
            "EndToEndTests",
            [
                "CarillonCore", "CarillonCron", "CarillonRuntime", "CarillonWire", "CarillonJSON",
                "CarillonClient", "CarillonRPC", "CarillonCommand", "TestSupport",
                "carillon", "carillon-gateway",
                "carillon-scheduler", "carillon-worker", logging, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
