import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres
import Tracking

/// Opens and clicks of a campaign, as fast as they come in, and whether each one that was answered is stored.
struct TrackScenario: Sendable {
    let options: BenchOptions

    func run(_ report: inout BenchReport) async throws {
        let draft = report
        let box = ReportBox(draft)
        try await BenchStage.with(options) { stage in try await play(on: stage, box) }
        report = box.report
    }

    private func play(on stage: BenchStage, _ box: ReportBox) async throws {
        let portal = try await stage.startPortal()
        do {
            let account = try await portal.register("track")
            let requests = try await seed(stage, account, portal)
            try await Task.sleep(for: .seconds(1))
            let load = LoadGenerator(port: portal.port, connections: options.connections, accepts: [200, 302])
            let baseline = ProcessTable.memory(of: portal.process.id)
            _ = try await load.run(requests, for: .seconds(1))
            let before = try await storedEvents(stage, account)
            ProcessTable.resetPeak(of: portal.process.id)
            let first = stage.times(portal)
            let result = try await load.run(requests, for: .seconds(options.seconds))
            let last = stage.times(portal)
            let answered: ContinuousClock.Instant = .now
            let stored = try await storedEvents(stage, account) - before
            let counting: Duration = .now - answered
            box.update { report in
                report["parameters"] = .object([
                    "messages": .int(options.people), "connections": .int(options.connections),
                    "seconds": .int(options.seconds),
                ])
                report["rate"] = .double(result.rate.rounded(to: 1))
                report.latencies(result.histogram)
                report["answered"] = .int(result.answered)
                report["refused"] = .int(result.refused + result.broken)
                report["stored"] = .int(stored)
                report["countedAfterSeconds"] = .double((counting / .seconds(1)).rounded(to: 3))
                report["everyAnswerStored"] = .bool(
                    stored >= result.answered && stored <= result.answered + result.broken)
                report["portalMicrosecondsPerEvent"] = .double(
                    ((last.portal - first.portal) * 1_000_000 / Double(result.answered)).rounded(to: 1))
                report["postgresMicrosecondsPerEvent"] = .double(
                    ((last.postgres - first.postgres) * 1_000_000 / Double(result.answered)).rounded(to: 1))
                report.cpuSeconds(from: first, to: last)
                report.memory(baseline: baseline, peak: ProcessTable.memory(of: portal.process.id, peak: true))
                report.versions(postgres: stage.postgresVersion)
            }
        } catch {
            await portal.process.stop()
            throw error
        }
        await portal.process.stop()
    }

    /// Writes a campaign that went out yesterday, and prepares an open and a click for each of its messages.
    private func seed(_ stage: BenchStage, _ account: BenchAccount, _ portal: BenchPortal) async throws -> [[UInt8]] {
        let workspace = account.workspace
        let send: SendID = IdentifierSource().next()
        let key = try await stage.database.session { session in
            try await session.value(
                Int.self, "bench.track.key",
                "SELECT routing_key::bigint FROM marketing_workspaces WHERE id = \(workspace)")
        }
        let yesterday = Date().addingTimeInterval(-86_400)
        let messages: [MessageID] = (0..<options.people).map { place in
            .make(at: yesterday, routingKey: Int32(key), position: UInt32(place), random: UInt16(place & 1023))
        }
        try await stage.database.write(workspace, timeout: .seconds(300)) { tx in
            try await tx.run(
                "bench.track.send",
                """
                INSERT INTO marketing_sends (workspace_id, id, state, content, audience, recipients, sent)
                VALUES (\(workspace), \(send), 'sent', '{}', '{}', \(messages.count), \(messages.count))
                """)
            for start in stride(from: 0, to: messages.count, by: 10_000) {
                let some = Array(messages[start..<min(start + 10_000, messages.count)])
                try await tx.run(
                    "bench.track.messages",
                    """
                    INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, created_at, sent_at, state, email)
                    SELECT \(workspace), id, \(send), gen_random_uuid(), \(yesterday), \(yesterday), 'sent', 'a@example.com'
                    FROM unnest(\(some)) AS id
                    """)
            }
        }
        _ = try await stage.database.session(timeout: .seconds(300)) { session in
            try await session.run("bench.track.analyze", "VACUUM ANALYZE marketing_messages")
        }
        return stage.hits(on: messages, port: portal.port)
    }

    /// How many events are stored, once all of them are counted.
    private func storedEvents(_ stage: BenchStage, _ account: BenchAccount) async throws -> Int {
        let deadline: ContinuousClock.Instant = .now + .seconds(60)
        while try await isCounting(stage, account), .now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        return try await stage.database.read(account.workspace, timeout: .seconds(60)) { tx in
            try await tx.value(
                Int.self, "bench.track.count",
                "SELECT count(*) FROM marketing_email_events WHERE workspace_id = \(account.workspace)")
        }
    }

    private func isCounting(_ stage: BenchStage, _ account: BenchAccount) async throws -> Bool {
        try await stage.database.read(account.workspace) { tx in
            try await tx.value(
                Bool.self, "bench.track.backlog",
                "SELECT EXISTS (SELECT FROM marketing_email_event_backlog WHERE workspace_id = \(account.workspace))")
        }
    }
}

extension BenchStage {
    /// An open and a click of each message as requests, in an order that jumps about in the ledger as people do.
    fileprivate func hits(on messages: [MessageID], port: Int) -> [[UInt8]] {
        let links = TrackingLinks(
            publicBase: "http://127.0.0.1:\(port)", key: SigningKeys(secret: Array(secret.utf8)).key(for: "tracking"))
        let targets = (0..<5).map { number in
            TrackingLinks.Target(number: number, url: "https://shop.example.com/offer/\(number)?utm_source=mail")
        }
        let skipped = "http://127.0.0.1:\(port)".utf8.count
        let tail = Array(
            """
             HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\
            User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15\r\n\
            Accept-Language: en\r\nAccept: */*\r\n\r\n
            """.utf8)
        var requests: [[UInt8]] = []
        requests.reserveCapacity(messages.count * 2)
        for place in 0..<(messages.count * 2) {
            let message = MessageIdentity(messages[place * 7919 % messages.count])
            var address: [UInt8] = []
            if place % 2 == 0 {
                links.appendOpen(of: message, to: &address)
            } else {
                links.appendClick(of: targets[place % targets.count], in: message, to: &address)
            }
            requests.append(Array("GET ".utf8) + address.dropFirst(skipped) + tail)
        }
        return requests
    }
}
