import Core
import FoundationEssentials
import Glibc
import Postgres
import Web

/// The pages about people, in a workspace with very many of them; with start-up time and idle memory.
struct PagesScenario: Sendable {
    let options: BenchOptions

    /// A kind of page, and the addresses that are asked for in turn.
    private struct Kind {
        let name: String
        let paths: [String]
    }

    func run(_ report: inout BenchReport) async throws {
        let box = ReportBox(report)
        try await BenchStage.with(options) { stage in try await play(on: stage, box) }
        report = box.report
    }

    private func play(on stage: BenchStage, _ box: ReportBox) async throws {
        let seeder = try await stage.startPortal()
        let account: BenchAccount
        do {
            account = try await seeder.register("pages")
        } catch {
            await seeder.process.stop()
            throw error
        }
        await seeder.process.stop()
        let seed = PeopleSeed(database: stage.database, workspace: account.workspace)
        try await seed.make(options.contacts, list: IdentifierSource().next())
        let starts = try await startTimes(stage)
        let portal = try await stage.startPortal()
        do {
            try await measure(stage, portal, account, seed, starts, box)
        } catch {
            await portal.process.stop()
            throw error
        }
        await portal.process.stop()
    }

    private func measure(
        _ stage: BenchStage, _ portal: BenchPortal, _ account: BenchAccount, _ seed: PeopleSeed,
        _ starts: [String: JSONValue], _ box: ReportBox
    ) async throws {
        try await Task.sleep(for: .seconds(3))
        let idle = ProcessTable.memory(of: portal.process.id)
        let cookie = try await portal.signIn(account)
        let kinds = Self.kinds(details: try await seed.sample(2_000))
        let load = LoadGenerator(port: portal.port, connections: options.connections, accepts: [200])
        let mixed = kinds.flatMap { kind in (0..<200).map { kind.paths[$0 % kind.paths.count] } }
            .enumerated().sorted { $0.offset * 7919 % 1201 < $1.offset * 7919 % 1201 }.map(\.element)
        _ = try await load.run(requests(mixed, cookie, portal), for: .seconds(2))
        let first = stage.times(portal)
        let result = try await load.run(requests(mixed, cookie, portal), for: .seconds(options.seconds))
        let last = stage.times(portal)
        var pages: [String: JSONValue] = [:]
        for kind in kinds {
            pages[kind.name] = try await measure(kind, load, cookie, portal)
        }
        let afterwards = ProcessTable.memory(of: portal.process.id)
        box.update { report in
            report["parameters"] = .object([
                "contacts": .int(options.contacts), "connections": .int(options.connections),
                "seconds": .int(options.seconds), "gzip": .bool(options.compresses),
            ])
            report["rate"] = .double(result.rate.rounded(to: 1))
            report.latencies(result.histogram)
            report["refused"] = .int(result.refused + result.broken)
            report["pages"] = .object(pages)
            report["start"] = .object(starts)
            report.cpuSeconds(from: first, to: last)
            report.memory(baseline: idle, peak: ProcessTable.memory(of: portal.process.id, peak: true))
            report["memoryAfterwardsMegabytes"] = .megabytes(afterwards)
            report.versions(postgres: stage.postgresVersion)
        }
    }

    private func measure(
        _ kind: Kind, _ load: LoadGenerator, _ cookie: String, _ portal: BenchPortal
    ) async throws -> JSONValue {
        let asked = requests(kind.paths, cookie, portal)
        _ = try await load.run(asked, for: .milliseconds(300))
        let result = try await load.run(asked, for: .seconds(max(1, options.seconds / 3)))
        let alone = LoadGenerator(port: portal.port, connections: 1, accepts: [200])
        let quiet = try await alone.run(asked, for: .seconds(1))
        return .object([
            "rate": .double(result.rate.rounded(to: 1)),
            "p50": .double(result.histogram.milliseconds(at: 0.5).rounded(to: 3)),
            "p99": .double(result.histogram.milliseconds(at: 0.99).rounded(to: 3)),
            "aloneP50": .double(quiet.histogram.milliseconds(at: 0.5).rounded(to: 3)),
            "aloneP99": .double(quiet.histogram.milliseconds(at: 0.99).rounded(to: 3)),
        ])
    }

    /// From starting the program to being ready: on a database that is there, with a cluster to be made, and with one
    /// made before.
    private func startTimes(_ stage: BenchStage) async throws -> [String: JSONValue] {
        var times: [Double] = []
        for number in 2...4 {
            let portal = try await stage.startPortal(number)
            times.append(portal.startSeconds)
            await portal.process.stop()
        }
        let own = ["MARKETING_DATABASE_URL": ""]
        let first = try await stage.startPortal(5, changes: own)
        await first.process.stop()
        let second = try await stage.startPortal(5, changes: own)
        await second.process.stop()
        return [
            "existingServerSeconds": .double((times.sorted()[1]).rounded(to: 3)),
            "ownServerFirstSeconds": .double(first.startSeconds.rounded(to: 3)),
            "ownServerSeconds": .double(second.startSeconds.rounded(to: 3)),
        ]
    }

    private func requests(_ paths: [String], _ cookie: String, _ portal: BenchPortal) -> [[UInt8]] {
        let encoding = options.compresses ? "Accept-Encoding: gzip\r\n" : ""
        return paths.map { path in
            Array(
                "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(portal.port)\r\nCookie: \(cookie)\r\n\(encoding)\r\n".utf8)
        }
    }

    private static func kinds(details: [ContactID]) -> [Kind] {
        [
            Kind(name: "list", paths: ["/contacts"]),
            Kind(name: "searchCommon", paths: ["anna", "weber", "example.com", "rossi"].map(search)),
            Kind(name: "searchPrefix", paths: ["zimmerm", "virtan", "nakam", "kowal"].map(search)),
            Kind(name: "searchSubstring", paths: ["tanak", "linde", "delacr", "xaver.n"].map(search)),
            Kind(name: "searchRare", paths: (0..<200).map { search(".\(417_133 + $0 * 31)@") }),
            Kind(name: "detail", paths: details.map { "/contacts/\($0)" }),
        ]
    }

    private static func search(_ words: String) -> String {
        "/contacts" + PercentEncoding.query([("q", words)])
    }
}
