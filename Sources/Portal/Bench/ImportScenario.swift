import Core
import FoundationEssentials
import Glibc
import Postgres

/// A file of people: once when nobody is there, once with another city for everybody, once without any change.
struct ImportScenario: Sendable {
    let options: BenchOptions

    private struct Pass: Sendable {
        let json: JSONValue
        let rate: Double
        let progress: LatencyHistogram
    }

    func run(_ report: inout BenchReport) async throws {
        let box = ReportBox(report)
        try await BenchStage.with(options) { stage in try await play(on: stage, box) }
        report = box.report
    }

    private func play(on stage: BenchStage, _ box: ReportBox) async throws {
        let portal = try await stage.startPortal()
        do {
            try await measure(stage, portal, box)
        } catch {
            await portal.process.stop()
            throw error
        }
        await portal.process.stop()
    }

    private func measure(_ stage: BenchStage, _ portal: BenchPortal, _ box: ReportBox) async throws {
        let account = try await portal.register("import")
        let list = try await portal.client.json(
            "POST", "/v1/lists", .object(["name": .string("Everybody")]), token: account.token)
        guard let listID = list["id"]?.stringValue else { throw BenchError("Making a list answered no id.") }
        try await Task.sleep(for: .seconds(1))
        let baseline = ProcessTable.memory(of: portal.process.id)
        let file = PeopleFile.make(options.people, moved: 0)
        let first = stage.times(portal)
        let created = try await pass(file, "created", listID, portal, account)
        let last = stage.times(portal)
        try await waitForIndex(stage)
        let updated = try await pass(PeopleFile.make(options.people, moved: 1), "updated", listID, portal, account)
        try await waitForIndex(stage)
        let same = try await pass(PeopleFile.make(options.people, moved: 1), "", listID, portal, account)
        box.update { report in
            report["parameters"] = .object(["people": .int(options.people), "bytes": .int(file.count)])
            report["rate"] = .double(created.rate.rounded(to: 1))
            report["updatingRate"] = .double(updated.rate.rounded(to: 1))
            report["unchangedRate"] = .double(same.rate.rounded(to: 1))
            report.latencies(created.progress)
            report["new"] = created.json
            report["updating"] = updated.json
            report["unchanged"] = same.json
            report.cpuSeconds(from: first, to: last)
            report.memory(baseline: baseline, peak: ProcessTable.memory(of: portal.process.id, peak: true))
            report.versions(postgres: stage.postgresVersion)
        }
    }

    /// Imported people are made searchable afterwards; the next pass is to be measured by itself.
    private func waitForIndex(_ stage: BenchStage) async throws {
        let start = MonotonicTime.now
        while MonotonicTime.seconds(since: start) < 300 {
            let waiting: Int = try await stage.database.session { session in
                try await session.value(
                    Int.self, "bench.import.indexing",
                    "SELECT count(*) FROM marketing_job_queue WHERE kind = 'contacts.index' AND state <> 'dead'")
            }
            if waiting == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchError("Imported people do not become searchable.")
    }

    /// Uploads the file and follows the import to its end. `p50` and `p99` of a pass are the times by which half of the
    /// rows, and nearly all, were stored.
    private func pass(
        _ file: [UInt8], _ counter: String, _ list: String, _ portal: BenchPortal, _ account: BenchAccount
    ) async throws -> Pass {
        ProcessTable.resetPeak(of: portal.process.id)
        let start = MonotonicTime.now
        let answer = try await portal.client.ask(
            "POST", "/v1/contacts/import?onExisting=update&listId=\(list)&consentBasis=newsletter",
            headers: [("Authorization", "Bearer \(account.token)"), ("Content-Type", "text/csv")], body: file)
        guard let answer, answer.status == 202, let id = try answer.json()["id"]?.stringValue else {
            throw BenchError("The import was answered with \(answer?.status ?? 0): \(answer?.text.prefix(500) ?? "")")
        }
        let uploaded = MonotonicTime.seconds(since: start)
        var progress = LatencyHistogram()
        var seen = 0
        while true {
            let state = try await portal.client.json("GET", "/v1/contacts/imports/\(id)", token: account.token)
            let elapsed = MonotonicTime.now - start
            let done = ["created", "updated", "unchanged", "skipped", "failed"].reduce(0) { $0 + state.integer($1) }
            for _ in seen..<max(seen, done) { progress.record(nanoseconds: elapsed) }
            seen = max(seen, done)
            let status = state["status"]?.stringValue ?? ""
            if status == "done" { return try result(state, counter, uploaded, elapsed, progress, portal) }
            guard ["queued", "running", "uploaded"].contains(status) else {
                throw BenchError("The import ended as \(status).")
            }
            guard elapsed < 600_000_000_000 else { throw BenchError("The import does not end.") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func result(
        _ state: JSONValue, _ counter: String, _ uploaded: Double, _ elapsed: UInt64, _ progress: LatencyHistogram,
        _ portal: BenchPortal
    ) throws -> Pass {
        if !counter.isEmpty, state.integer(counter) != options.people {
            throw BenchError("Of \(options.people) people \(state.integer(counter)) were \(counter).")
        }
        let outside = Double(elapsed) / 1_000_000_000
        let own = state.seconds(from: "startedAt", to: "finishedAt") ?? outside
        let json: JSONValue = .object([
            "jobSeconds": .double(own.rounded(to: 3)), "uploadSeconds": .double(uploaded.rounded(to: 3)),
            "totalSeconds": .double(outside.rounded(to: 3)), "jobRate": .rate(options.people, in: own),
            "totalRate": .rate(options.people, in: outside),
            "p50": .double(progress.milliseconds(at: 0.5)), "p99": .double(progress.milliseconds(at: 0.99)),
            "peakMegabytes": .megabytes(ProcessTable.memory(of: portal.process.id, peak: true)),
        ])
        return Pass(json: json, rate: Double(options.people) / own, progress: progress)
    }
}

/// A CSV of people with eight columns.
enum PeopleFile {
    /// - Parameter moved: changes everybody's city.
    static func make(_ count: Int, moved: Int) -> [UInt8] {
        var bytes = Array("email,first name,last name,phone,city,plan,company,signed up\n".utf8)
        bytes.reserveCapacity(count * 110)
        let plans = ["free", "plus", "pro"]
        for number in 0..<count {
            let first = PeopleSeed.firstNames[number * 31 % PeopleSeed.firstNames.count]
            let last = PeopleSeed.lastNames[number * 17 % PeopleSeed.lastNames.count]
            let city = PeopleSeed.cities[(number + moved) % PeopleSeed.cities.count]
            let phone = number % 4 == 0 ? "+49301\(1_000_000 + number)" : ""
            let line =
                "person.\(number)@\(PeopleSeed.domains[number % PeopleSeed.domains.count]),\(first),\(last),\(phone),"
                + "\(city),\(plans[number % 3]),\"\(last), \(city) & Co\",2026-0\(1 + number % 9)-1\(number % 10)\n"
            bytes.append(contentsOf: line.utf8)
        }
        return bytes
    }
}

extension JSONValue {
    func integer(_ name: String) -> Int {
        guard case .int(let number)? = self[name] else { return 0 }
        return number
    }

    /// The time between two members that are dates in ISO 8601.
    func seconds(from first: String, to last: String) -> Double? {
        guard let start = self[first]?.stringValue.flatMap({ Self.date($0) }),
            let end = self[last]?.stringValue.flatMap({ Self.date($0) })
        else { return nil }
        return end.timeIntervalSince(start)
    }

    private static func date(_ text: String) -> Date? {
        try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains(".")))
    }
}
