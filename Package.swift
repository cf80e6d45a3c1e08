// swift-tools-version:6.2
import PackageDescription

/// The settings of every target; each upcoming feature is its own Swift Evolution proposal.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),  // SE-0335
        .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
        .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncAlgorithms = Target.Dependency.product(name: "AsyncAlgorithms", package: "swift-async-algorithms")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioExtras = Target.Dependency.product(name: "NIOExtras", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

/// Floor by floor, as in the README: a module imports from floors below its own and never sideways.
let floors: [[Target]] = [
    // 0: C only.
    [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .target(name: "CLinux"),
    ],
    // 1: leaves, which know nothing of the product.
    [
        .target(name: "Wire", dependencies: [nioCore], swiftSettings: settings),
        .target(
            name: "Postgres",
            dependencies: ["CLibPQ", "CLinux", deque, lifecycle, logging, tracing],
            swiftSettings: settings
        ),
        .target(name: "PrivateCluster", dependencies: ["CLinux"], swiftSettings: settings),
        .target(name: "Systemd", dependencies: ["CSystemd", lifecycle, logging], swiftSettings: settings),
        .target(
            name: "Agents",
            dependencies: [asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, tracing],
            swiftSettings: settings
        ),
        .target(
            name: "Slack",
            dependencies: [asyncHTTPClient, nioCore, nioHTTP1],
            swiftSettings: settings
        ),
        .target(name: "ScriptedProvider", dependencies: [nioCore, nioHTTP1, nioPosix], swiftSettings: settings),
        .target(name: "Documents", swiftSettings: settings),
    ],
    // 2: what is said, what an agent file says, and how a process lives.
    [
        .target(name: "Contract", dependencies: ["Wire"], swiftSettings: settings),
        .target(name: "AgentFiles", dependencies: ["Agents", yams], swiftSettings: settings),
        .target(
            name: "Daemon",
            dependencies: ["CLinux", "Systemd", configuration, lifecycle, logging],
            swiftSettings: settings
        ),
        .target(
            name: "Traces",
            dependencies: ["CLinux", "Wire", lifecycle, logging, nioCore, nioHTTP1, nioPosix, tracing],
            swiftSettings: settings
        ),
    ],
    // 3: client and server over Unix sockets.
    [
        .target(
            name: "RPC",
            dependencies: [
                "Contract", "Daemon", "Traces", "Wire", configuration, deque, lifecycle, logging, nioCore, nioPosix,
                tracing,
            ],
            swiftSettings: settings
        )
    ],
    // 4: the services, and the command line's commands.
    [
        .target(
            name: "Gateway",
            dependencies: [
                "Contract", "Daemon", "RPC", "Systemd", "Traces", "Wire",
                asyncAlgorithms, configuration, httpTypes, hummingbird, hummingbirdCore, lifecycle, logging, nioCore,
                nioExtras, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1, nioPosix, tracing,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "AgentRunner",
            dependencies: [
                "AgentFiles", "Agents", "Contract", "Daemon", "Documents", "RPC", "Slack", "Systemd", "Traces", "Wire",
                asyncHTTPClient, configuration, lifecycle, logging, nioCore, nioHTTP1, nioPosix, tracing,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Storage",
            dependencies: [
                "Contract", "Daemon", "Postgres", "RPC", "Systemd", "Traces", "Wire", configuration, lifecycle, logging,
                nioCore, tracing,
            ],
            resources: [.embedInCode("Migrations")],
            swiftSettings: settings
        ),
        .target(
            name: "Console",
            dependencies: [
                "AgentFiles", "Agents", "Contract", "Daemon", "Documents", "Postgres", "PrivateCluster", "RPC",
                "Systemd", "Traces", "Wire",
                argumentParser, asyncHTTPClient, lifecycle, logging, nioCore, nioHTTP1, nioPosix, unixSignals,
            ],
            swiftSettings: settings
        ),
    ],
    // 5: the executables, a few lines each.
    [
        .executableTarget(name: "octavo-gateway", dependencies: ["Daemon", "Gateway"], swiftSettings: settings),
        .executableTarget(
            name: "octavo-agent-runner",
            dependencies: ["AgentRunner", "Daemon"],
            swiftSettings: settings
        ),
        .executableTarget(name: "octavo-storage", dependencies: ["Daemon", "Storage"], swiftSettings: settings),
        .executableTarget(name: "octavo", dependencies: ["Console", argumentParser], swiftSettings: settings),
        .target(
            name: "OctavoTesting",
            dependencies: [
                "Contract", "Postgres", "PrivateCluster", "RPC", "Storage", "Wire", lifecycle, logging,
            ],
            swiftSettings: settings
        ),
    ],
]

let tests: [Target] = [
    .executableTarget(
        name: "ActivationProbe",
        dependencies: ["Daemon", "Systemd", configuration, lifecycle, logging],
        path: "Tests/Fixtures/ActivationProbe",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "octavo-testing-benchmark",
        dependencies: ["Contract", "OctavoTesting", "Postgres", "RPC"],
        path: "Tests/Benchmarks/testing",
        swiftSettings: settings
    ),
    .target(
        name: "TestSupport",
        dependencies: [
            "Console", "Contract", "Daemon", "OctavoTesting", "RPC", "Systemd", lifecycle, logging,
            "octavo", "octavo-agent-runner", "octavo-gateway", "octavo-storage",
        ],
        path: "Tests/Support",
        swiftSettings: settings
    ),
    // Not a product: what Tests/Benchmarks/storage measures with, a hundred lines.
    .executableTarget(
        name: "octavo-benchmark",
        dependencies: ["Contract", "RPC", argumentParser, nioCore],
        path: "Tests/Benchmarks/storage/client",
        swiftSettings: settings
    ),
    // Not products either: what Tests/Benchmarks/agents measures with, and whom it asks.
    .executableTarget(
        name: "octavo-agents-benchmark",
        dependencies: ["Contract", "RPC", argumentParser],
        path: "Tests/Benchmarks/agents/client",
        swiftSettings: settings
    ),
    .executableTarget(
        name: "octavo-benchmark-provider",
        path: "Tests/Benchmarks/agents/provider",
        cSettings: [.define("_GNU_SOURCE")]
    ),
    // Not a product either: puts the JSON Schema project's test suite to the validator.
    .executableTarget(
        name: "octavo-schema-suite",
        dependencies: ["Agents"],
        path: "Tests/Benchmarks/json-schema",
        exclude: ["README.md", "suite.py"],
        swiftSettings: settings
    ),
    .testTarget(name: "ArchitectureTests", swiftSettings: settings),
    .testTarget(name: "AgentFilesTests", dependencies: ["AgentFiles", "Agents"], swiftSettings: settings),
    .testTarget(name: "ContractTests", dependencies: ["Contract", "Wire"], swiftSettings: settings),
    .testTarget(name: "DocumentsTests", dependencies: ["Documents"], swiftSettings: settings),
    .testTarget(
        name: "AgentsTests",
        dependencies: [
            "Agents", "ScriptedProvider", asyncHTTPClient, logging, nioCore, nioEmbedded, nioHTTP1, nioPosix,
        ],
        swiftSettings: settings
    ),
    .testTarget(
        name: "SlackTests",
        dependencies: ["ScriptedProvider", "Slack", asyncHTTPClient],
        swiftSettings: settings
    ),
    .testTarget(
        name: "AgentRunnerTests",
        dependencies: [
            "AgentRunner", "AgentFiles", "Agents", "Contract", "Daemon", "RPC", "ScriptedProvider", "Slack", "Wire",
            asyncHTTPClient, configuration, lifecycle, logging, nioCore,
        ],
        exclude: ["Tools/mcp_server.py"],
        swiftSettings: settings
    ),
    .testTarget(
        name: "GatewayTests",
        dependencies: [
            "Contract", "Daemon", "Gateway", "RPC", "Systemd", "Wire", lifecycle, logging, nioCore, nioHTTP1, nioPosix,
        ],
        swiftSettings: settings
    ),
    .testTarget(
        name: "HouseTests",
        dependencies: [
            "Agents", "Console", "Contract", "Daemon", "Postgres", "PrivateCluster", "RPC", "ScriptedProvider",
            "Systemd", "TestSupport", "Wire", argumentParser, asyncHTTPClient, lifecycle, logging, nioCore, nioHTTP1,
        ],
        exclude: ["dialogue.py"],
        swiftSettings: settings
    ),
    // Boots systemd in a container of its own, with these programs installed.
    .testTarget(
        name: "BootTests",
        dependencies: ["Console", "Daemon", "TestSupport"],
        exclude: ["machine"],
        swiftSettings: settings
    ),
    .testTarget(name: "WireTests", dependencies: ["Wire", nioCore, nioEmbedded], swiftSettings: settings),
    .testTarget(
        name: "RPCTests",
        dependencies: ["Contract", "RPC", "Traces", "Wire", lifecycle, logging, nioCore, nioPosix, tracing],
        exclude: ["client.py"],
        swiftSettings: settings
    ),
    .testTarget(
        name: "StorageTests",
        dependencies: [
            "Contract", "OctavoTesting", "Postgres", "RPC", "Storage", "Wire", lifecycle, logging, nioCore, nioPosix,
        ],
        swiftSettings: settings
    ),
    .testTarget(
        name: "OctavoTestingTests",
        dependencies: ["Contract", "OctavoTesting", "RPC", "Wire"],
        swiftSettings: settings
    ),
    .testTarget(
        name: "PostgresTests",
        dependencies: ["Postgres", "PrivateCluster", lifecycle, logging],
        swiftSettings: settings
    ),
    .testTarget(
        name: "TracesTests",
        dependencies: ["Traces", "Wire", lifecycle, logging, nioCore, nioPosix, tracing],
        swiftSettings: settings
    ),
    .testTarget(name: "SystemdTests", dependencies: ["Systemd", lifecycle], swiftSettings: settings),
    .testTarget(
        name: "DaemonTests",
        dependencies: ["ActivationProbe", "CLinux", "Daemon", "Systemd", configuration, lifecycle, logging],
        swiftSettings: settings
    ),
]

let package = Package(
    name: "octavo",
    products: [
        .executable(name: "octavo-gateway", targets: ["octavo-gateway"]),
        .executable(name: "octavo-agent-runner", targets: ["octavo-agent-runner"]),
        .executable(name: "octavo-storage", targets: ["octavo-storage"]),
        .executable(name: "octavo", targets: ["octavo"]),
        .library(name: "Agents", targets: ["Agents"]),
        .library(name: "Postgres", targets: ["Postgres"]),
        // With the modules whose types its users name.
        .library(name: "OctavoTesting", targets: ["Contract", "OctavoTesting", "RPC", "Wire"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: floors.flatMap(\.self) + tests
)
