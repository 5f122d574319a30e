import Accounts
import Campaigns
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
        let account: BenchAccount = try await audience(on: stage)
        box.update { report in
            report["parameters"] = .object([
                "contacts": .int(options.contacts), "companies": .int(options.companies),
                "events": .int(options.events),
                "segments": .int(options.segments), "seconds": .int(options.seconds),
                "changesPerSecond": .int(options.changesPerSecond),
            ])
            report.versions(postgres: stage.postgresVersion)
        }
        if options.parts.contains(.questions) { try await ask(stage, account, box) }
        if !options.parts.isDisjoint(with: [.membership, .check]) {
            try await keep(stage, account, box)
        }
        if options.databaseURL != nil {
            BenchNotice.write("The workspace stays; to use it again: --account \(account.email)\n")
        }
    }

    /// The workspace of an earlier run, or a new one with everything in it.
    private func audience(on stage: BenchStage) async throws -> BenchAccount {
        let portal = try await stage.startPortal()
        let account: BenchAccount
        do {
            if let email = options.account {
                account = try await portal.signIn(again: email)
            } else {
                account = try await portal.register("segments")
            }
        } catch {
            await portal.process.stop()
            throw error
        }
        await portal.process.stop()
        guard options.account == nil else { return account }
        let start = MonotonicTime.now
        try await AudienceSeed(
            database: stage.database, workspace: account.workspace, people: options.contacts,
            companies: options.companies, events: options.events
        ).make()
        BenchNotice.write("Made everything in \(Int(MonotonicTime.seconds(since: start))) s\n")
        return account
    }

    private func keep(_ stage: BenchStage, _ account: BenchAccount, _ box: ReportBox) async throws {
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
            limits: .init(minimum: 1, maximum: 8), logger: Logger(label: "bench"))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await ask(Database(pool), stage, account, box))
        } catch {
            outcome = .failure(error)
        }
        await pool.shutDown()
        try outcome.get()
    }

    /// What the portal does within a minute of there being so many people.
    private static func copy(_ workspace: WorkspaceID, _ stage: BenchStage, _ services: AppServices) async throws {
        let start = MonotonicTime.now
        let keeper = FactsKeeper(services: services)
        for _ in 0..<600 {
            do {
                try await keeper.fill(workspace)
                break
            } catch is JobRetry {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try await keeper.round()
        try await stage.database.session(timeout: .seconds(600)) { session in
            _ = try await session.run("bench.facts.vacuum", "VACUUM (ANALYZE) marketing_contact_facts")
        }
        BenchNotice.write("Copied everybody for counting in \(Int(MonotonicTime.seconds(since: start))) s\n")
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
        let actions = SegmentActions(
            services: services, ledger: LedgerBehaviour(), references: RuleReferences(campaigns: CampaignNames.find))
        let scope = WorkspaceScope(workspace: account.workspace)
        try await Self.copy(account.workspace, stage, services)
        var found: [String: JSONValue] = [:]
        var plans: [String: JSONValue] = [:]
        var slowest = SlowestQuestions()
        for (name, rules) in SegmentsRules.questions {
            let rule: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
            var people = 0
            let counting = try await Self.measure(20) { people = try await actions.count(rule, scope) }
            let sampling = try await Self.measure(20) { _ = try await actions.sample(rule, scope) }
            slowest.note(name, count: counting.middle, sample: sampling.middle)
            found[name] = .object([
                "people": .int(people), "countP50": .double(counting.middle), "countP99": .double(counting.slow),
                "sampleP50": .double(sampling.middle), "sampleP99": .double(sampling.slow),
            ])
            plans[name] = .array(try await actions.analyze(rule, scope).map(JSONValue.string))
        }
        let mix: JSONValue = try await Self.mix(actions, scope)
        let contacts: [ContactID] = try await PeopleSeed(database: stage.database, workspace: account.workspace).sample(
            50)
        let rule: JSONValue = try JSONDecoder().decode(
            JSONValue.self, from: Data(SegmentsRules.fiveConditions.utf8))
        var next = 0
        let explaining = try await Self.measure(50) {
            _ = try await actions.holds(rule, contacts[next % contacts.count], scope)
            next += 1
        }
        let (questions, explained, most) = (found, plans, slowest)
        box.update { report in
            report["questions"] = .object(questions)
            report["mix"] = mix
            report["explainOne"] = .object(["p50": .double(explaining.middle), "p99": .double(explaining.slow)])
            report["plans"] = .object(explained)
            report.figure("countOfThreeIndexed", most.three, bar: 40)
            report.figure("countOfFiveWithBehaviour", most.five, bar: 400)
            report.figure("sample", most.sample, bar: 30)
            report.figure("explainOne", explaining.slow, bar: 10)
        }
    }

    /// How long rules at random take, and which of them took longest.
    private static func mix(_ actions: SegmentActions, _ scope: WorkspaceScope) async throws -> JSONValue {
        var counts: [(milliseconds: Double, rule: JSONValue)] = []
        var samples: [Double] = []
        for rule in SegmentsMix.rules(100) {
            counts.append((try await measure(1) { _ = try await actions.count(rule, scope) }.middle, rule))
            samples.append(try await measure(1) { _ = try await actions.sample(rule, scope) }.middle)
        }
        counts.sort { $0.milliseconds > $1.milliseconds }
        samples.sort(by: >)
        return .object([
            "rules": .int(counts.count), "countsPast400": .int(counts.count { $0.milliseconds > 400 }),
            "countP50": .double(counts[counts.count / 2].milliseconds),
            "countP90": .double(counts[counts.count / 10].milliseconds),
            "countSlowest": .double(counts[0].milliseconds),
            "sampleP50": .double(samples[samples.count / 2]), "samplesPast30": .int(samples.count { $0 > 30 }),
            "sampleSlowest": .double(samples[0]), "slowest": .array(counts.prefix(5).map(\.rule)),
        ])
    }

    /// The middle and the slowest hundredth of so many runs, in milliseconds, after a first one that warms up; fewer runs
    /// where they take long.
    private static func measure(
        _ times: Int, _ body: () async throws -> Void
    ) async throws -> (middle: Double, slow: Double) {
        try await body()
        var histogram = LatencyHistogram()
        let first = MonotonicTime.now
        for number in 0..<times {
            if number >= 5, MonotonicTime.seconds(since: first) > 3 { break }
            let start = MonotonicTime.now
            try await body()
            histogram.record(nanoseconds: MonotonicTime.now - start)
        }
        return (histogram.milliseconds(at: 0.5).rounded(to: 2), histogram.milliseconds(at: 0.99).rounded(to: 2))
    }
}

/// The longest of the middle times of each kind of question, in milliseconds.
private struct SlowestQuestions: Sendable {
    var three = 0.0
    var five = 0.0
    var sample = 0.0

    mutating func note(_ name: String, count: Double, sample: Double) {
        if name.hasPrefix("three") { three = max(three, count) } else { five = max(five, count) }
        self.sample = max(self.sample, sample)
    }
}
