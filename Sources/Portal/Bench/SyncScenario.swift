import Core
import FoundationEssentials
import Postgres

/// A host product keeps its people in step, tells what they did, and two of them are made one: how fast each goes.
struct SyncScenario: Sendable {
    let options: BenchOptions

    private static let key = "a service key for the bench"
    /// Records in one request, and events in one.
    private static let batch = 1_000
    private static let eventBatch = 500
    /// What the person who is merged brings along.
    private static let activities = 5_000
    private static let merges = 11

    func run(_ report: inout BenchReport) async throws {
        let box = ReportBox(report)
        try await BenchStage.with(options) { stage in
            let portal = try await stage.startPortal(changes: ["MARKETING_SERVICE_API_KEY": Self.key])
            do {
                try await play(on: stage, portal, box)
            } catch {
                await portal.process.stop()
                throw error
            }
            await portal.process.stop()
        }
        report = box.report
    }

    private func play(on stage: BenchStage, _ portal: BenchPortal, _ box: ReportBox) async throws {
        let account = try await portal.client.ask("GET", "/v1/service/account", headers: Self.headers)
        guard let account, account.status == 200,
            let workspace = try account.json()["id"]?.stringValue.flatMap({ WorkspaceID($0) })
        else { throw BenchError("The service API did not answer.") }
        var phases: [String: JSONValue] = [:]
        // The first few thousand warm connections, caches and plans.
        _ = try await send(contacts(5_000, "warm", day: 1), to: portal)
        for (name, day) in [("create", 1), ("unchanged", 1), ("update", 2)] {
            phases[name] = try await contactPhase(stage, portal, day: day)
        }
        let events = try await eventPhase(stage, portal)
        let merging = try await mergePhase(stage, portal, workspace)
        let idle = ProcessTable.memory(of: portal.process.id, peak: true)
        box.update { report in
            report["parameters"] = .object([
                "people": .int(options.people), "batch": .int(Self.batch), "eventBatch": .int(Self.eventBatch),
                "connections": .int(options.connections), "activities": .int(Self.activities),
            ])
            report["contacts"] = .object(phases)
            report["events"] = events
            report["merge"] = merging
            report["memoryPeakMegabytes"] = .megabytes(idle)
            report.versions(postgres: stage.postgresVersion)
        }
    }

    // MARK: Requests

    private static let headers: [(String, String)] = [
        ("Authorization", "Bearer \(key)"), ("X-External-Tenant-Id", "bench"),
    ]

    private static func request(_ path: String, _ body: String, port: Int) -> [UInt8] {
        Array(
            """
            POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(key)\r
            X-External-Tenant-Id: bench\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
            """.utf8)
    }

    private func send(_ bodies: [String], to portal: BenchPortal, path: String = "/v1/service/contacts/sync")
        async throws
        -> LoadGenerator.Result
    {
        let requests = bodies.map { Self.request(path, $0, port: portal.port) }
        let load = LoadGenerator(port: portal.port, connections: options.connections, accepts: [200])
        let result = try await load.run(requests, for: .seconds(3600), limit: requests.count)
        guard result.refused == 0, result.broken == 0 else {
            throw BenchError("\(result.refused) requests were refused and \(result.broken) broke.")
        }
        return result
    }

    private func contacts(_ count: Int, _ prefix: String, day: Int) -> [String] {
        stride(from: 0, to: count, by: Self.batch).map { start in
            let rows = (start..<min(start + Self.batch, count)).map { Self.contact($0, prefix, day: day) }
            return #"{"sourceType":"bench.customer","contacts":[\#(rows.joined(separator: ","))]}"#
        }
    }

    private static func contact(_ number: Int, _ prefix: String, day: Int) -> String {
        let first = PeopleSeed.firstNames[number % PeopleSeed.firstNames.count]
        let last = PeopleSeed.lastNames[number / 7 % PeopleSeed.lastNames.count]
        let plan = ["free", "plus", "pro"][(number + day) % 3]
        return """
            {"sourceId":"\(prefix)-\(number)","updatedAt":"2026-01-0\(day)T10:00:00Z","email":"\(prefix).\(number)@example.com",\
            "phone":"+4930\(10_000_000 + number)","firstName":"\(first)","lastName":"\(last)","tags":["customer"],\
            "properties":{"city":"Berlin","plan":"\(plan)","age":\(18 + number % 60),"orders":\(number % 17),\
            "spent":\(number % 1_000),"language":"en","score":\(number % 100),"newsletter":true,"code":"C-\(number)",\
            "signed_up":"2025-03-01","region":"R\(number % 12)","rank":\(number % 7)}}
            """
    }

    // MARK: Phases

    private func contactPhase(_ stage: BenchStage, _ portal: BenchPortal, day: Int) async throws -> JSONValue {
        let bodies = contacts(options.people, "p", day: day)
        let first = stage.times(portal)
        let result = try await send(bodies, to: portal)
        return measured(options.people, result, from: first, to: stage.times(portal))
    }

    private func measured(
        _ count: Int, _ result: LoadGenerator.Result, from first: ProcessorTimes, to last: ProcessorTimes
    ) -> JSONValue {
        .object([
            "perSecond": .rate(count, in: result.seconds),
            "batchMilliseconds": .double(result.histogram.milliseconds(at: 0.5).rounded(to: 1)),
            "batchMillisecondsP99": .double(result.histogram.milliseconds(at: 0.99).rounded(to: 1)),
            "portalSeconds": .double((last.portal - first.portal).rounded(to: 2)),
            "postgresSeconds": .double((last.postgres - first.postgres).rounded(to: 2)),
        ])
    }

    private func eventPhase(_ stage: BenchStage, _ portal: BenchPortal) async throws -> JSONValue {
        let count = options.people
        let bodies: [String] = stride(from: 0, to: count, by: Self.eventBatch).map { start in
            let rows = (start..<min(start + Self.eventBatch, count)).map { number in
                """
                {"id":"e-\(number)","name":"order placed","contact":{"email":"p.\(number * 7919 % options.people)@example.com"},\
                "properties":{"total":\(number % 500),"currency":"EUR","items":\(number % 9)},\
                "occurredAt":"2026-01-\(10 + number % 19)T10:00:00Z"}
                """
            }
            return #"{"events":[\#(rows.joined(separator: ","))]}"#
        }
        let first = stage.times(portal)
        let result = try await send(bodies, to: portal, path: "/v1/service/events")
        let last = stage.times(portal)
        guard case .object(var members) = measured(count, result, from: first, to: last) else { return .null }
        let repeated = try await send(bodies, to: portal, path: "/v1/service/events")
        members["repeatedPerSecond"] = .rate(count, in: repeated.seconds)
        return .object(members)
    }

    /// Merges people into others, each with so many activities, and takes it back again.
    private func mergePhase(
        _ stage: BenchStage, _ portal: BenchPortal, _ workspace: WorkspaceID
    ) async throws -> JSONValue {
        let people: [ContactID] = try await stage.database.read(workspace) { transaction in
            try await transaction.values(
                ContactID.self, "bench.sync.people",
                """
                SELECT id FROM marketing_contacts WHERE workspace_id = \(workspace) AND deleted_at IS NULL
                ORDER BY id LIMIT \(2 * Self.merges)
                """)
        }
        guard people.count == 2 * Self.merges else { throw BenchError("There are too few people to merge.") }
        let losers: [ContactID] = Array(people.suffix(Self.merges))
        try await stage.database.write(workspace, timeout: .seconds(600)) { transaction in
            _ = try await transaction.run(
                "bench.sync.activities",
                """
                INSERT INTO marketing_contact_events (workspace_id, id, contact_id, kind, occurred_at, data)
                SELECT \(workspace), gen_random_uuid(), l, 'bench.activity', now() - make_interval(mins => n::int),
                    jsonb_build_object('title', 'Activity ' || n)
                FROM unnest(\(losers)) AS l CROSS JOIN generate_series(1, \(Self.activities)) AS n
                """)
        }
        _ = try await stage.database.session(timeout: .seconds(600)) { session in
            try await session.run("bench.sync.analyze", "VACUUM ANALYZE marketing_contact_events")
        }
        var merged: [Double] = []
        var undone: [Double] = []
        for (winner, loser) in zip(people, losers) {
            let started = MonotonicTime.now
            let answer = try await ask(
                portal, "/v1/service/contacts/\(winner)/merge", #"{"loserId":"\#(loser)"}"#)
            merged.append(MonotonicTime.seconds(since: started) * 1_000)
            guard let id = answer["mergeId"]?.stringValue else { throw BenchError("The merge has no id.") }
            let back = MonotonicTime.now
            _ = try await ask(portal, "/v1/service/merges/\(id)/undo", "")
            undone.append(MonotonicTime.seconds(since: back) * 1_000)
        }
        return .object([
            "milliseconds": .double(merged.sorted()[merged.count / 2].rounded(to: 1)),
            "slowestMilliseconds": .double((merged.max() ?? 0).rounded(to: 1)),
            "undoMilliseconds": .double(undone.sorted()[undone.count / 2].rounded(to: 1)),
        ])
    }

    private func ask(_ portal: BenchPortal, _ path: String, _ body: String) async throws -> JSONValue {
        let headers = Self.headers + (body.isEmpty ? [] : [("Content-Type", "application/json")])
        guard let answer = try await portal.client.ask("POST", path, headers: headers, body: Array(body.utf8)) else {
            throw BenchError("The portal did not answer \(path).")
        }
        guard answer.status == 200 else {
            throw BenchError("\(path) was answered with \(answer.status): \(answer.text.prefix(300))")
        }
        return try answer.json()
    }
}
