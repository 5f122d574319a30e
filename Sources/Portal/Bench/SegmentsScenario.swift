import Accounts
import Core
import Cryptography
import FoundationEssentials
import Jobs
import Logging
import Postgres
import Segments
import Web

/// Rules over very many people and events: counting, samples, explanations; then how fast changes reach fifty segments, and
/// the nightly check of each.
struct SegmentsScenario: Sendable {
    let options: BenchOptions

    func run(_ report: inout BenchReport) async throws {
        let box = ReportBox(report)
        try await BenchStage.with(options) { stage in try await play(on: stage, box) }
        report = box.report
    }

    private func play(on stage: BenchStage, _ box: ReportBox) async throws {
        let seeder = try await stage.startPortal()
        let account: BenchAccount
        do {
            account = try await seeder.register("segments")
        } catch {
            await seeder.process.stop()
            throw error
        }
        await seeder.process.stop()
        let start = MonotonicTime.now
        let seed = AudienceSeed(
            database: stage.database, workspace: account.workspace, people: options.contacts,
            companies: options.companies, events: options.events)
        try await seed.make()
        let seconds: Double = MonotonicTime.seconds(since: start)
        BenchNotice.write("Made everything in \(Int(seconds)) s\n")
        box.update { report in
            report["parameters"] = .object([
                "contacts": .int(options.contacts), "companies": .int(options.companies),
                "events": .int(options.events),
                "segments": .int(options.segments), "seconds": .int(options.seconds),
                "changesPerSecond": .int(options.changesPerSecond),
            ])
            report.versions(postgres: stage.postgresVersion)
        }
        try await ask(stage, account, box)
        let portal = try await stage.startPortal()
        do {
            try await SegmentsLoad(options: options, stage: stage, portal: portal, account: account).run(box)
        } catch {
            await portal.process.stop()
            throw error
        }
        await portal.process.stop()
    }

    // MARK: Questions

    private func ask(_ stage: BenchStage, _ account: BenchAccount, _ box: ReportBox) async throws {
        let pool = PostgresPool(
            name: "bench questions", settings: ConnectionSettings(address: stage.databaseURL),
            limits: .init(minimum: 1, maximum: 2), logger: Logger(label: "bench"))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await ask(Database(pool), stage, account, box))
        } catch {
            outcome = .failure(error)
        }
        await pool.shutDown()
        try outcome.get()
    }

    private func ask(
        _ database: Database, _ stage: BenchStage, _ account: BenchAccount, _ box: ReportBox
    ) async throws {
        let keys = SigningKeys(secret: Array(stage.secret.utf8), earlier: [])
        let services = AppServices(
            database: database, jobs: JobQueue(),
            secrets: try SecretBox(current: keys.bytes(for: "bench"), older: []), keys: keys,
            urls: PortalURLs(portalBase: "http://localhost", publicBase: "http://localhost"),
            passwords: PasswordHasher(cost: .quick), varDirectory: stage.directory, logger: Logger(label: "bench"))
        let actions = SegmentActions(services: services, ledger: LedgerBehaviour())
        let scope = WorkspaceScope(workspace: account.workspace)
        var found: [String: JSONValue] = [:]
        var plans: [String: JSONValue] = [:]
        for (name, rules) in SegmentsRules.questions {
            let rule: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
            var people = 0
            let counting = try await Self.measure(20) { people = try await actions.count(rule, scope) }
            let sampling = try await Self.measure(20) { _ = try await actions.sample(rule, scope) }
            found[name] = .object([
                "people": .int(people), "countP50": counting.0, "countP99": counting.1, "sampleP50": sampling.0,
                "sampleP99": sampling.1,
            ])
            plans[name] = .array(try await actions.analyze(rule, scope).map(JSONValue.string))
        }
        let contacts: [ContactID] = try await PeopleSeed(database: stage.database, workspace: account.workspace).sample(
            50)
        let rule: JSONValue = try JSONDecoder().decode(
            JSONValue.self, from: Data(SegmentsRules.fiveConditions.utf8))
        var next = 0
        let explaining = try await Self.measure(50) {
            _ = try await actions.holds(rule, contacts[next % contacts.count], scope)
            next += 1
        }
        let (questions, explained) = (found, plans)
        box.update { report in
            report["questions"] = .object(questions)
            report["explainOne"] = .object(["p50": explaining.0, "p99": explaining.1])
            report["plans"] = .object(explained)
        }
    }

    /// The middle and the slowest hundredth of so many runs, in milliseconds, after a first one that warms up.
    private static func measure(
        _ times: Int, _ body: () async throws -> Void
    ) async throws -> (JSONValue, JSONValue) {
        try await body()
        var histogram = LatencyHistogram()
        for _ in 0..<times {
            let start = MonotonicTime.now
            try await body()
            histogram.record(nanoseconds: MonotonicTime.now - start)
        }
        return (
            .double(histogram.milliseconds(at: 0.5).rounded(to: 2)),
            .double(histogram.milliseconds(at: 0.99).rounded(to: 2))
        )
    }
}

/// The rules that are asked.
enum SegmentsRules {
    static let fiveConditions = """
        {"all":[{"field":"properties.plan","operator":"isNot","value":"free"},
        {"field":"properties.birthday","operator":"monthIs","value":"this"},
        {"field":"properties.score","operator":"between","value":[100,300]},
        {"field":"emailStatus","operator":"is","value":"active"},
        {"behaviour":"opened","within":{"days":30}}]}
        """

    static let questions: [(String, String)] = [
        (
            "threeIndexed",
            """
            {"all":[{"field":"properties.city","operator":"is","value":"City 7"},
            {"field":"properties.score","operator":"atLeast","value":900},
            {"field":"emailStatus","operator":"is","value":"active"}]}
            """
        ),
        (
            "twoFastAndStatus",
            """
            {"all":[{"field":"properties.plan","operator":"is","value":"pro"},
            {"field":"properties.score","operator":"between","value":[100,120]},
            {"field":"emailStatus","operator":"is","value":"unsubscribed"}]}
            """
        ),
        ("fiveWithOpened", fiveConditions),
        (
            "fiveWithEvent",
            """
            {"all":[{"field":"company.name","operator":"startsWith","value":"company 1"},
            {"field":"properties.age","operator":"moreThan","value":40},
            {"field":"properties.newsletter","operator":"is","value":true},
            {"field":"tags","operator":"notContains","value":"vip"},
            {"behaviour":"event","name":"order placed","operator":"atLeast","times":1,"within":{"days":90},
            "where":[{"property":"total","operator":"moreThan","value":100}]}]}
            """
        ),
        (
            "fiveWithNever",
            """
            {"all":[{"field":"properties.city","operator":"in","value":["City 1","City 2","City 3"]},
            {"field":"properties.language","operator":"is","value":"de"},
            {"field":"properties.orders","operator":"atLeast","value":5},
            {"field":"createdAt","operator":"inLast","value":3650},
            {"behaviour":"clicked","operator":"never","within":{"days":60}}]}
            """
        ),
        (
            "anyOfFive",
            """
            {"any":[{"field":"properties.note","operator":"contains","value":"fair 7"},
            {"field":"properties.age","operator":"is","value":33},
            {"field":"lastName","operator":"startsWith","value":"sch"},
            {"field":"tags","operator":"contains","value":"vip"},
            {"behaviour":"event","name":"invoice paid","operator":"atLeast","times":3,"within":{"days":180}}]}
            """
        ),
    ]

    /// A rule for one of many segments, of the kinds that marketers make.
    static func segment(_ number: Int) -> String {
        switch number % 5 {
        case 0:
            """
            {"all":[{"field":"properties.city","operator":"is","value":"City \(number)"},
            {"field":"emailStatus","operator":"is","value":"active"}]}
            """
        case 1:
            """
            {"all":[{"field":"properties.score","operator":"between","value":[\(number * 10),\(number * 10 + 40)]},
            {"field":"properties.plan","operator":"isNot","value":"free"}]}
            """
        case 2:
            """
            {"all":[{"field":"properties.age","operator":"is","value":\(18 + number)},
            {"behaviour":"opened","within":{"days":30}}]}
            """
        case 3:
            """
            {"all":[{"behaviour":"event","name":"order placed","operator":"atLeast","times":2,"within":{"days":90}},
            {"field":"properties.language","operator":"is","value":"pt"}]}
            """
        default:
            """
            {"any":[{"field":"properties.score","operator":"is","value":\(number)},
            {"field":"company.domain","operator":"is","value":"company-\(number).example"}]}
            """
        }
    }

    static let probe = #"{"all":[{"field":"properties.code","operator":"is","value":"probe"}]}"#
}
