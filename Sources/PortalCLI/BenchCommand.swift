import ArgumentParser
import Portal

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure sending, importing, tracking and the pages, and try what must not break; prints JSON.",
        discussion: """
            Each scenario starts a portal of its own on a private PostgreSQL in a directory under /tmp and removes both
            afterwards. With --database-url it makes a workspace in that database instead, and leaves it there.
            Use a release build: swift build -c release, then .build/release/portal bench track.
            """,
        subcommands: [
            SendBench.self, ImportBench.self, TrackBench.self, PagesBench.self, SyncBench.self, SegmentsBench.self,
            SurviveBench.self,
            SinkBench.self,
        ])
}

/// What every scenario can be told.
struct BenchArguments: ParsableArguments {
    @Option(help: "A database to use instead of a private one that is thrown away.")
    var databaseURL: String?

    func run(_ scenario: BenchScenario, _ change: (inout BenchOptions) -> Void) async throws {
        var options = BenchOptions(resources: try CommandSupport.configuration().resources)
        options.databaseURL = databaseURL
        change(&options)
        StandardOutput.write(try await scenario.run(options))
    }
}

struct SendBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "A personalised campaign with tracked links to a mail server on this machine.")

    @OptionGroup var shared: BenchArguments
    @Option(help: "How many people get it.") var people: Int = 100_000
    @Option(help: "Connections to the mail server.") var smtpConnections: Int = 4

    func run() async throws {
        let (people, smtpConnections) = (people, smtpConnections)
        try await shared.run(.send) { options in
            options.people = people
            options.smtpConnections = smtpConnections
        }
    }
}

struct ImportBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "A CSV of new people, then the same people with changes, then without.")

    @OptionGroup var shared: BenchArguments
    @Option(help: "Rows in the file.") var people: Int = 100_000

    func run() async throws {
        let people = people
        try await shared.run(.import) { $0.people = people }
    }
}

struct TrackBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "track", abstract: "Opens and clicks, each answered only when it is stored.")

    @OptionGroup var shared: BenchArguments
    @Option(help: "Messages of the campaign that is opened.") var people: Int = 100_000
    @Option(help: "Connections that ask at the same time.") var connections: Int = 32
    @Option(help: "How long the load lasts.") var seconds: Int = 10

    func run() async throws {
        let (people, connections, seconds) = (people, connections, seconds)
        try await shared.run(.track) { options in
            options.people = people
            options.connections = connections
            options.seconds = seconds
        }
    }
}

struct PagesBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pages", abstract: "Contact list, search and detail pages among very many people.")

    @OptionGroup var shared: BenchArguments
    @Option(help: "People in the workspace.") var contacts: Int = 1_000_000
    @Option(help: "Connections that ask at the same time.") var connections: Int = 32
    @Option(help: "How long the load lasts.") var seconds: Int = 10
    @Flag(help: "Ask for compressed pages, as browsers do.") var gzip = false

    func run() async throws {
        let (contacts, connections, seconds, gzip) = (contacts, connections, seconds, gzip)
        try await shared.run(.pages) { options in
            options.contacts = contacts
            options.connections = connections
            options.seconds = seconds
            options.compresses = gzip
        }
    }
}

struct SyncBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "A host product's people, new, unchanged and changed, its events, and merging two people.")

    @OptionGroup var shared: BenchArguments
    @Option(help: "People that the host product has.") var people: Int = 100_000
    @Option(help: "Connections that send at the same time.") var connections: Int = 4

    func run() async throws {
        let (people, connections) = (people, connections)
        try await shared.run(.sync) { options in
            options.people = people
            options.connections = connections
        }
    }
}

extension BenchSegmentsPart: ExpressibleByArgument {}

struct SegmentsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segments",
        abstract: "Rules over very many people and events, and how fast changes reach segments.",
        discussion: """
            With --database-url what was made stays there. The notice at the end says whose workspace it is: with --account
            it is used again, so that one figure can be repeated without making everything anew.
            """)

    @OptionGroup var shared: BenchArguments
    @Option(help: "People in the workspace.") var contacts: Int = 1_000_000
    @Option(help: "Companies they work for.") var companies: Int = 20_000
    @Option(help: "Things they did.") var events: Int = 10_000_000
    @Option(help: "Segments that are kept.") var segments: Int = 50
    @Option(help: "Changes of people while segments are kept, per second.") var changesPerSecond: Int = 1_000
    @Option(help: "How long the changes last.") var seconds: Int = 20
    @Option(help: "What to measure: questions, membership or check; may be given more than once.")
    var part: [BenchSegmentsPart] = []
    @Option(help: "The owner of a workspace that an earlier run left in the database.") var account: String?

    func run() async throws {
        let arguments = self
        if account != nil, shared.databaseURL == nil {
            throw ValidationError("--account needs --database-url: a private database is thrown away.")
        }
        try await shared.run(.segments) { options in
            if !arguments.part.isEmpty { options.parts = Set(arguments.part) }
            options.account = arguments.account
            options.contacts = arguments.contacts
            options.companies = arguments.companies
            options.events = arguments.events
            options.segments = arguments.segments
            options.changesPerSecond = arguments.changesPerSecond
            options.seconds = arguments.seconds
        }
    }
}

struct SurviveBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survive",
        abstract: "Break things during a campaign and see that everybody gets it once, or is listed as uncertain.",
        discussion: "Ends with status 1 when somebody got it twice, or is missing without being listed.")

    @OptionGroup var shared: BenchArguments
    @Option(help: "How many people get it.") var people: Int = 100_000
    @Option(help: "Connections to the mail server, of each portal.") var smtpConnections: Int = 4
    @Option(help: "How often a portal is killed.") var kills: Int = 10
    @Option(help: "How often the database is stopped and started.") var databaseStops: Int = 0
    @Option(help: "Portals that work on the one database.") var portals: Int = 1
    @Option(help: "Messages per second at most.") var ratePerSecond: Int?
    @Option(help: "The longest wait before the next thing breaks, in milliseconds.") var longestPause: Int = 1_000

    func run() async throws {
        let arguments = self
        try await shared.run(.survive) { options in
            options.people = arguments.people
            options.smtpConnections = arguments.smtpConnections
            options.kills = arguments.kills
            options.databaseStops = arguments.databaseStops
            options.portals = arguments.portals
            options.ratePerSecond = arguments.ratePerSecond
            options.longestPause = arguments.longestPause
        }
    }
}

/// The mail server of `bench send`, in a process of its own so that it does not count as the portal.
struct SinkBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sink", abstract: "The mail server of bench send.", shouldDisplay: false)

    @Option var directory: String

    func run() async throws {
        try await SinkProcess.serve(directory: directory)
    }
}
