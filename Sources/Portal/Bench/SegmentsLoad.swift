import Core
import FoundationEssentials
import Glibc
import Postgres
import Segments

/// Many segments in a running portal, changes all the time, and probes that see how long one takes to be known.
struct SegmentsLoad: Sendable {
    let options: BenchOptions
    let stage: BenchStage
    let portal: BenchPortal
    let account: BenchAccount

    private var workspace: WorkspaceID { account.workspace }

    func run(_ box: ReportBox) async throws {
        let start = MonotonicTime.now
        var lists: [ContactListID] = []
        for number in 0..<(options.segments - 1) {
            lists.append(try await segment("Segment \(number) of \(getpid())", SegmentsRules.segment(number)))
        }
        let probe: ContactListID = try await segment("Probe of \(getpid())", SegmentsRules.probe)
        lists.append(probe)
        try await waitUntil("filled") { try await waiting("state <> 'live'") == 0 }
        let fill: Double = MonotonicTime.seconds(since: start)
        box.update { $0["fillSeconds"] = .double(fill.rounded(to: 2)) }
        if options.parts.contains(.membership) { try await measureMembership(probe, box) }
        if options.parts.contains(.check) {
            try await waitUntil("settled") { try await notes() == 0 }
            let (slowest, differences) = try await check(lists)
            box.update { report in
                report["check"] = .object(["slowestMilliseconds": .int(slowest), "differences": .int(differences)])
                report.figure("nightlyCheckOfOne", Double(slowest), bar: 3_000)
            }
        }
        if options.databaseURL != nil {
            for list in lists { _ = try await portal.client.json("DELETE", "/v1/lists/\(list)", token: account.token) }
        }
    }

    private func measureMembership(_ probe: ContactListID, _ box: ReportBox) async throws {
        let people: [ContactID] = try await PeopleSeed(database: stage.database, workspace: workspace).sample(20_000)
        let first = stage.times(portal)
        let (histogram, changes) = try await load(people, probe)
        let last = stage.times(portal)
        box.update { report in
            report["membership"] = .object([
                "changes": .int(changes), "probes": .int(histogram.count),
                "p50": .double(histogram.milliseconds(at: 0.5)), "p99": .double(histogram.milliseconds(at: 0.99)),
            ])
            report.figure("changeToMembershipP99", histogram.milliseconds(at: 0.99).rounded(to: 2), bar: 1_000)
            report.cpuSeconds(from: first, to: last)
        }
    }

    private func segment(_ name: String, _ rules: String) async throws -> ContactListID {
        let rule: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
        let answer = try await portal.client.json(
            "POST", "/v1/lists",
            .object(["name": .string(name), "type": .string("segment"), "filterRules": rule]), token: account.token)
        guard let id = answer["id"]?.stringValue.flatMap({ ContactListID($0) }) else {
            throw BenchError("Making a segment answered no id.")
        }
        return id
    }

    // MARK: Load

    private func load(_ people: [ContactID], _ probe: ContactListID) async throws -> (LatencyHistogram, Int) {
        let probes: [ContactID] = Array(people.prefix(8))
        let others: [ContactID] = Array(people.dropFirst(8))
        return try await withThrowingTaskGroup(of: (LatencyHistogram, Int).self) { group in
            group.addTask { (LatencyHistogram(), try await change(others)) }
            for person in probes { group.addTask { (try await watch(person, probe), 0) } }
            var (histogram, changes) = (LatencyHistogram(), 0)
            for try await (own, count) in group {
                histogram.merge(own)
                changes += count
            }
            return (histogram, changes)
        }
    }

    /// Changes people in tenths of a second, as a host product's sync does, with the note of what changed.
    private func change(_ people: [ContactID]) async throws -> Int {
        let size: Int = max(1, options.changesPerSecond / 10)
        var done = 0
        let start = MonotonicTime.now
        while MonotonicTime.seconds(since: start) < Double(options.seconds) {
            let from: Int = done % max(1, people.count - size)
            let part = Array(people[from..<min(from + size, people.count)])
            try await write(part, "{score}", "to_jsonb(\(Int(done % 1000)))", ["properties.score"])
            done += part.count
            let due: Double = Double(done) / Double(options.changesPerSecond)
            let early: Double = due - MonotonicTime.seconds(since: start)
            if early > 0 { try await Task.sleep(for: .milliseconds(Int(early * 1000))) }
        }
        return done
    }

    private func write(_ people: [ContactID], _ path: String, _ value: SQL, _ fields: [String]) async throws {
        _ = try await stage.database.write(workspace, timeout: .seconds(60)) { tx in
            try await tx.run([
                Statement(
                    "bench.change",
                    """
                    UPDATE marketing_contacts SET properties = jsonb_set(properties, \(path)::text::text[], \(value)),
                        updated_at = now(), version = version + 1
                    WHERE workspace_id = \(workspace) AND id = ANY (\(people))
                    """),
                Statement(
                    "bench.change.note",
                    """
                    INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
                    VALUES (\(workspace), \(people), \(fields), now())
                    """),
            ])
        }
    }

    /// Lets somebody enter and leave the probe's segment, and measures from the commit until the membership is there.
    private func watch(_ person: ContactID, _ probe: ContactListID) async throws -> LatencyHistogram {
        var histogram = LatencyHistogram()
        let start = MonotonicTime.now
        var enters = true
        while MonotonicTime.seconds(since: start) < Double(options.seconds) {
            let value: String = enters ? "probe" : "c-\(person)"
            try await write([person], "{code}", "to_jsonb(\(value)::text)", ["properties.code"])
            let changed = MonotonicTime.now
            while try await isMember(person, probe) != enters { try await Task.sleep(for: .milliseconds(4)) }
            histogram.record(nanoseconds: MonotonicTime.now - changed)
            enters.toggle()
        }
        return histogram
    }

    private func isMember(_ person: ContactID, _ list: ContactListID) async throws -> Bool {
        try await stage.database.read(workspace) { tx in
            try await tx.value(
                Bool.self, "bench.member",
                """
                SELECT EXISTS (SELECT FROM marketing_list_members
                    WHERE workspace_id = \(workspace) AND list_id = \(list) AND contact_id = \(person))
                """)
        }
    }

    // MARK: The check

    private func check(_ lists: [ContactListID]) async throws -> (Int, Int) {
        try await stage.database.write(workspace) { tx in
            for list in lists { try await SegmentCheck.enqueue(list, workspace: workspace, in: tx) }
        }
        try await waitUntil("checked") { try await waiting("checked_at IS NULL") == 0 }
        return try await stage.database.read(workspace) { tx in
            try await tx.rows(
                as: (Int, Int).self, "bench.checks",
                """
                SELECT max(check_milliseconds)::bigint, sum(check_differences)::bigint FROM marketing_segments
                WHERE workspace_id = \(workspace)
                """)[0]
        }
    }

    private func waiting(_ condition: SQL) async throws -> Int {
        try await stage.database.read(workspace) { tx in
            try await tx.value(
                Int.self, "bench.waiting",
                "SELECT count(*) FROM marketing_segments WHERE workspace_id = \(workspace) AND \(condition)")
        }
    }

    private func notes() async throws -> Int {
        try await stage.database.session { session in
            try await session.value(Int.self, "bench.notes", "SELECT count(*) FROM marketing_audience_changes")
        }
    }

    private func waitUntil(_ what: String, _ isSo: () async throws -> Bool) async throws {
        let start = MonotonicTime.now
        while try await !isSo() {
            guard MonotonicTime.seconds(since: start) < 1800 else {
                throw BenchError("The segments are never \(what).")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
