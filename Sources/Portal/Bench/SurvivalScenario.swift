import Core
import FoundationEssentials
import Glibc
import Postgres

/// A campaign during which things break: the portal is killed, paused and resumed, a second one works on the same
/// database, the database stops. At the mail server nobody may appear twice, and nobody may be missing who is not listed
/// as uncertain.
struct SurvivalScenario: Sendable {
    let options: BenchOptions

    func run(_ report: inout BenchReport) async throws {
        let box = ReportBox(report)
        try await BenchStage.with(options) { stage in try await play(on: stage, box) }
        report = box.report
    }

    private func play(on stage: BenchStage, _ box: ReportBox) async throws {
        let sink = try await BenchSink.start(stage)
        let troupe = PortalTroupe(stage: stage)
        do {
            let account = try await BenchCampaign.prepare(stage, people: options.people)
            var campaign = BenchCampaign(
                account: account, sinkPort: sink.port, smtpConnections: options.smtpConnections)
            campaign.ratePerSecond = options.ratePerSecond
            for number in 1...max(1, options.portals) { try await troupe.start(number) }
            let id = try await campaign.make(try await troupe.portal(1))
            try await campaign.ask("send", id, try await troupe.portal(1))
            try await breakThings(troupe, campaign, id, stage)
            let seconds = try await waitUntilSettled(campaign, stage)
            try await judge(campaign, stage, sink, seconds, box)
        } catch {
            await troupe.stop()
            await sink.process.stop()
            throw error
        }
        await troupe.stop()
        await sink.process.stop()
    }

    // MARK: Breaking

    private func breakThings(
        _ troupe: PortalTroupe, _ campaign: BenchCampaign, _ id: String, _ stage: BenchStage
    ) async throws {
        for round in 0..<max(options.kills, options.databaseStops) {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...max(51, options.longestPause))))
            if round % 3 == 1 { try await pauseAndResume(campaign, id, try await troupe.portal(1)) }
            if round < options.databaseStops { try await stage.restartDatabase() }
            if round < options.kills { try await troupe.killAndRestart(1 + round % max(1, options.portals)) }
        }
    }

    /// A campaign that has ended in the meantime refuses both, which is fine.
    private func pauseAndResume(_ campaign: BenchCampaign, _ id: String, _ portal: BenchPortal) async throws {
        guard try await campaign.status(id, portal) == "sending" else { return }
        do {
            try await campaign.ask("pause", id, portal)
            try await Task.sleep(for: .milliseconds(200))
            try await campaign.ask("resume", id, portal)
        } catch let error as BenchError {
            guard try await campaign.status(id, portal) == "sent" else { throw error }
        }
    }

    /// Until no message waits for anything; answers how long that took.
    private func waitUntilSettled(_ campaign: BenchCampaign, _ stage: BenchStage) async throws -> Double {
        let start = MonotonicTime.now
        while MonotonicTime.seconds(since: start) < 300 {
            let states = try await campaign.states(stage)
            let open = ["pending", "sending", "retry"].reduce(0) { $0 + (states[$1] ?? 0) }
            if open == 0, states.values.reduce(0, +) == options.people { return MonotonicTime.seconds(since: start) }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchError("The campaign does not settle: \(try await campaign.states(stage)).")
    }

    // MARK: Judging

    private func judge(
        _ campaign: BenchCampaign, _ stage: BenchStage, _ sink: BenchSink, _ seconds: Double, _ box: ReportBox
    ) async throws {
        let summary = try await sink.summary()
        let arrived = try sink.recipients()
        let ledger = try await stage.database.read(campaign.account.workspace, timeout: .seconds(60)) { tx in
            try await tx.rows(
                as: (String?, String).self, "bench.survive.ledger",
                "SELECT lower(email), state FROM marketing_messages WHERE workspace_id = \(campaign.account.workspace)")
        }
        var wrong: [String: Int] = [:]
        var states: [String: Int] = [:]
        for (email, state) in ledger {
            let count = arrived[email ?? ""] ?? 0
            states[state, default: 0] += 1
            if count > 1 { wrong["twice", default: 0] += 1 }
            if state == "sent", count == 0 { wrong["sentButMissing", default: 0] += 1 }
            if state != "sent", state != "uncertain", count > 0 { wrong["arrivedBut\(state)", default: 0] += 1 }
            if state == "uncertain", count > 0 { wrong["uncertainThatArrived", default: 0] += 1 }
        }
        let arrivedUncertain = wrong.removeValue(forKey: "uncertainThatArrived") ?? 0
        let uncertain = states["uncertain"] ?? 0
        let bound = options.smtpConnections * max(options.kills, options.databaseStops)
        let good =
            wrong.isEmpty && uncertain <= bound && (states["sent"] ?? 0) + uncertain == options.people
            && summary.integer("messages") == arrived.values.reduce(0, +)
        box.update { report in
            report["parameters"] = .object([
                "people": .int(options.people), "kills": .int(options.kills), "portals": .int(options.portals),
                "databaseStops": .int(options.databaseStops), "smtpConnections": .int(options.smtpConnections),
            ])
            report["good"] = .bool(good)
            report["wrong"] = .object(wrong.mapValues { .int($0) })
            report["ledger"] = .object(states.mapValues { .int($0) })
            report["arrived"] = .int(arrived.count)
            report["uncertain"] = .int(uncertain)
            report["uncertainThatArrived"] = .int(arrivedUncertain)
            report["uncertainAtMost"] = .int(bound)
            report["settledSeconds"] = .double(seconds.rounded(to: 1))
            report.versions(postgres: stage.postgresVersion)
        }
    }
}

/// The portals that work on one database, by number; each keeps its directory over restarts.
actor PortalTroupe {
    private let stage: BenchStage
    private var portals: [Int: BenchPortal] = [:]

    init(stage: BenchStage) {
        self.stage = stage
    }

    func start(_ number: Int) async throws {
        portals[number] = try await stage.startPortal(number)
    }

    func portal(_ number: Int) throws -> BenchPortal {
        guard let portal = portals[number] else { throw BenchError("Portal \(number) does not run.") }
        return portal
    }

    func killAndRestart(_ number: Int) async throws {
        await portals[number]?.process.stop(signal: SIGKILL)
        portals[number] = nil
        try await start(number)
    }

    func stop() async {
        for portal in portals.values { await portal.process.stop() }
        portals = [:]
    }
}
