import Core
import FoundationEssentials

/// A real campaign to very many people through a mail server on this machine, from "send" to the last message.
struct SendScenario: Sendable {
    let options: BenchOptions

    func run(_ report: inout BenchReport) async throws {
        let box = ReportBox(report)
        try await BenchStage.with(options) { stage in try await play(on: stage, box) }
        report = box.report
    }

    private func play(on stage: BenchStage, _ box: ReportBox) async throws {
        let sink = try await BenchSink.start(stage)
        do {
            let account = try await BenchCampaign.prepare(stage, people: options.people)
            let portal = try await stage.startPortal()
            do {
                try await measure(stage, portal, account, sink, box)
            } catch {
                await portal.process.stop()
                throw error
            }
            await portal.process.stop()
        } catch {
            await sink.process.stop()
            throw error
        }
        await sink.process.stop()
    }

    private func measure(
        _ stage: BenchStage, _ portal: BenchPortal, _ account: BenchAccount, _ sink: BenchSink, _ box: ReportBox
    ) async throws {
        let draft = BenchCampaign(account: account, sinkPort: sink.port, smtpConnections: options.smtpConnections)
        let campaign = try await draft.make(portal)
        try await Task.sleep(for: .seconds(1))
        let baseline = ProcessTable.memory(of: portal.process.id)
        ProcessTable.resetPeak(of: portal.process.id)
        let first = stage.times(portal)
        let start = MonotonicTime.now
        try await draft.ask("send", campaign, portal)
        try await draft.waitForEnd(campaign, portal)
        let finished = MonotonicTime.now
        let last = stage.times(portal)
        let peak = ProcessTable.memory(of: portal.process.id, peak: true)
        let summary = try await sink.summary()
        let settled = try await draft.states(stage)
        func since(_ name: String) -> Double { Double(summary.integer(name) - Int(start)) / 1_000_000_000 }
        let flow = since("lastAt") - since("firstAt")
        box.update { report in
            report["parameters"] = .object([
                "people": .int(options.people), "smtpConnections": .int(options.smtpConnections),
            ])
            report["rate"] = .rate(summary.integer("messages"), in: flow)
            report["rateFromSendToEnd"] = .rate(options.people, in: Double(finished - start) / 1_000_000_000)
            report["p50"] = .double((since("halfAt") * 1000).rounded(to: 1))
            report["p99"] = .double((since("nearlyAllAt") * 1000).rounded(to: 1))
            report["firstMessageSeconds"] = .double(since("firstAt").rounded(to: 3))
            report["lastMessageSeconds"] = .double(since("lastAt").rounded(to: 3))
            report["finishedSeconds"] = .double((Double(finished - start) / 1_000_000_000).rounded(to: 3))
            report["sink"] = .object([
                "messages": .int(summary.integer("messages")), "people": .int(summary.integer("people")),
                "mostToOne": .int(summary.integer("mostToOne")), "bytes": .int(summary.integer("bytes")),
                "connections": .int(summary.integer("connections")),
                "cpuSeconds": .double(Double(summary.integer("processorMilliseconds")) / 1000),
            ])
            report["ledger"] = .object(settled.mapValues { .int($0) })
            report["everybodyExactlyOnce"] = .bool(
                summary.integer("people") == options.people && summary.integer("mostToOne") == 1
                    && settled["sent"] == options.people)
            report.cpuSeconds(from: first, to: last)
            report.memory(baseline: baseline, peak: peak)
            report.versions(postgres: stage.postgresVersion)
        }
    }
}
