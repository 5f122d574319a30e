import Core
import FoundationEssentials

/// What a bench is told: how much of everything, and where.
package struct BenchOptions: Sendable {
    /// People in an import or a campaign.
    package var people: Int = 100_000
    /// Connections that ask at the same time.
    package var connections: Int = 32
    /// How long each load lasts.
    package var seconds: Int = 10
    /// Connections to the mail server.
    package var smtpConnections: Int = 4
    /// Contacts in the workspace whose pages are asked for.
    package var contacts: Int = 1_000_000
    /// Companies, events and segments of the workspace whose segments are asked for, and changes while they are kept.
    package var companies: Int = 20_000
    package var events: Int = 10_000_000
    package var segments: Int = 50
    package var changesPerSecond: Int = 1_000
    /// What of the segments is measured.
    package var parts: Set<BenchSegmentsPart> = Set(BenchSegmentsPart.allCases)
    /// The address of the owner of a workspace that an earlier bench of segments filled and left: used as it is.
    package var account: String?
    /// Ask for compressed pages, as browsers do.
    package var compresses: Bool = false
    /// Messages per second at most; nil for as fast as it goes.
    package var ratePerSecond: Int?
    /// How often the portal is killed, and the database stopped, during a campaign.
    package var kills: Int = 10
    package var databaseStops: Int = 0
    /// Portals that work on the one database.
    package var portals: Int = 1
    /// The longest wait before the next thing breaks, in milliseconds.
    package var longestPause: Int = 1_000
    /// A database to use instead of a private cluster that is thrown away; the bench leaves its workspace there.
    package var databaseURL: String?
    /// Where `Views`, `Public` and `migrations` lie.
    package var resources: String
    /// The program to run as the portal under test: this one.
    package var program: String = "/proc/self/exe"

    package init(resources: String) {
        self.resources = resources
        if let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { program = own }
    }
}

/// What a bench of segments measures, each by itself where only one figure is wanted.
package enum BenchSegmentsPart: String, Sendable, CaseIterable {
    /// Counting, samples and explanations, with their plans.
    case questions
    /// How long a change takes to be a membership.
    case membership
    /// The nightly check.
    case check
}

/// What kept a bench from being carried out, in words for whoever ran it.
package struct BenchError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// What is measured, and what must not break.
package enum BenchScenario: String, Sendable, CaseIterable {
    case send, `import`, track, pages, survive, sync, segments

    /// Carries the scenario out against a portal of its own and answers what was measured, as one JSON object.
    package func run(_ options: BenchOptions) async throws -> [UInt8] {
        var report = BenchReport(scenario: rawValue)
        switch self {
        case .send: try await SendScenario(options: options).run(&report)
        case .import: try await ImportScenario(options: options).run(&report)
        case .track: try await TrackScenario(options: options).run(&report)
        case .pages: try await PagesScenario(options: options).run(&report)
        case .sync: try await SyncScenario(options: options).run(&report)
        case .segments: try await SegmentsScenario(options: options).run(&report)
        case .survive: try await SurvivalScenario(options: options).run(&report)
        }
        return try report.encoded()
    }
}
