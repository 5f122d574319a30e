// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
]
/// For what is shipped. Tests are left out: what Swift Testing's macros expand to is warned of itself.
let strict: [SwiftSetting] = settings + [.treatAllWarnings(as: .error)]

/// One room of the house: a library target that may use only lower floors (see docs/architecture.md).
func room(_ name: String, uses dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, uses dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: settings)
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")

let package = Package(
    name: "marketing-portal",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "portal", targets: ["PortalCLI"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // System libraries: module maps only, and one C shim for libcurl's variadic setters.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSystemCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CLibCurl", dependencies: ["CSystemCurl"], cSettings: [.treatAllWarnings(as: .error)]),

        // Floor 0
        room("Core", uses: []),
        // Floor 1
        room("Cryptography", uses: ["Core", "COpenSSL"]),
        room("Templates", uses: ["Core"]),
        room("Markup", uses: ["Core", "CLibXML2"]),
        room("HTTPTransport", uses: ["Core", "CLibCurl", log]),
        room("Mail", uses: ["Core", "CLibCurl", log]),
        room("Postgres", uses: ["Core", "CLibPQ", log, metrics, lifecycle, collections]),
        room("Jobs", uses: ["Core", "Postgres", log, metrics, lifecycle]),
        // Floor 2
        room("Web", uses: ["Core", "Cryptography", "Templates", "CZlib", hummingbird, log, metrics]),
        room(
            "Accounts",
            uses: ["Core", "Cryptography", "Templates", "Mail", "Postgres", "Jobs", "Web", log, metrics]),
        // Floors 3 to 6: slices
        room("Contacts", uses: ["Accounts", "Core", "Cryptography", "Templates", "Postgres", "Jobs", "Web", log]),
        room(
            "Tracking",
            uses: [
                "Contacts", "Accounts", "Core", "Cryptography", "Templates", "Postgres", "Jobs", "Web", log, lifecycle,
            ]),
        room(
            "Segments",
            uses: [
                "Contacts", "Tracking", "Accounts", "Core", "Templates", "Postgres", "Jobs", "Web", log, lifecycle,
            ]),
        room(
            "Messaging",
            uses: [
                "Contacts", "Tracking", "Accounts", "Core", "Cryptography", "Templates", "Markup", "Mail",
                "HTTPTransport",
                "Postgres", "Jobs", "Web", log, lifecycle,
            ]),
        room(
            "Campaigns",
            uses: [
                "Messaging", "Contacts", "Tracking", "Accounts", "Core", "Cryptography", "Templates", "Markup", "Mail",
                "HTTPTransport", "Postgres", "Jobs", "Web", log,
            ]),
        room(
            "Analytics",
            uses: [
                "Campaigns", "Messaging", "Contacts", "Tracking", "Accounts", "Core", "Templates", "Postgres", "Jobs",
                "Web",
                log,
            ]),
        room(
            "Connectors",
            uses: [
                "Contacts", "Tracking", "Accounts", "Core", "Cryptography", "Templates", "Postgres", "Jobs", "Web", log,
            ]),
        // Floor 7
        room(
            "Portal",
            uses: [
                "Connectors", "Analytics", "Campaigns", "Messaging", "Segments", "Contacts", "Tracking", "Accounts",
                "Core",
                "Cryptography",
                "Templates",
                "Markup", "Mail", "HTTPTransport", "Postgres", "Jobs", "Web", hummingbird, log, metrics, lifecycle,
            ]),
        // Floor 8
        .executableTarget(
            name: "PortalCLI",
            dependencies: [
                "Portal", "Analytics", "Campaigns", "Messaging", "Segments", "Contacts", "Tracking", "Accounts", "Core",
                "Cryptography",
                "Templates", "Mail", "Postgres", "Jobs", "Web", argumentParser, log,
            ],
            swiftSettings: strict),

        // A private PostgreSQL for tests: the rooms below the slices need no more of TestSupport than this.
        .target(
            name: "PostgresTesting", dependencies: ["Postgres", "Core", log], path: "Tests/PostgresTesting",
            swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: [
                "PostgresTesting", "Portal", "Web", "Accounts", "Postgres", "Jobs", "Markup", "Core", "Cryptography",
                "Templates", hummingbird, log,
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
    ]
)

// A room's tests stand under Tests/<Room>Tests; the lowest floors need no support.
package.targets += ["Cryptography", "Templates", "Markup", "HTTPTransport"].map { name in
    .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name), "Core"], swiftSettings: settings)
}
package.targets += [
    // Mail servers of tests, and their TLS.
    .systemLibrary(name: "CTestSSL", path: "Tests/CTestSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
    .target(
        name: "MailTesting", dependencies: ["Mail", "Core", "CTestSSL"], path: "Tests/MailTesting",
        swiftSettings: settings),
    .testTarget(name: "MailTests", dependencies: ["Mail", "MailTesting", "Core"], swiftSettings: settings),
    .testTarget(name: "CoreTests", dependencies: ["Core"], swiftSettings: settings),
    .testTarget(
        name: "PostgresTests", dependencies: ["Postgres", "PostgresTesting", "Core"], swiftSettings: settings),
    .testTarget(
        name: "JobsTests", dependencies: ["Jobs", "Postgres", "PostgresTesting", "Core", log, lifecycle],
        swiftSettings: settings),
    tests(of: "Web", uses: ["Core", "Templates", .product(name: "NIOEmbedded", package: "swift-nio")]),
    tests(of: "Accounts", uses: ["Core", "Web"]),
    tests(of: "Contacts", uses: ["Core", "Web", "Accounts", "Postgres"]),
    tests(of: "Tracking", uses: ["Core", "Web", "Accounts", "Contacts", "Postgres"]),
    tests(of: "Segments", uses: ["Core", "Web", "Accounts", "Contacts", "Jobs", "Portal", "Postgres"]),
    tests(of: "Messaging", uses: ["Core", "Web", "Accounts", "Contacts", "Mail", "MailTesting", "Postgres"]),
    tests(of: "Campaigns", uses: ["Core", "HTTPTransport", "Web", "Accounts", "Contacts", "Messaging", "Postgres"]),
    tests(of: "Connectors", uses: ["Core", "Web", "Accounts", "Contacts", "Tracking", "Postgres"]),
    tests(of: "Analytics", uses: ["Core", "Web", "Accounts", "Postgres"]),
    tests(
        of: "Portal",
        uses: [
            "Core", "Cryptography", "Web", "Accounts", "Contacts", "Campaigns", "Messaging", "Tracking", "Templates",
            "Postgres", "Jobs", log, lifecycle,
        ]),
]
