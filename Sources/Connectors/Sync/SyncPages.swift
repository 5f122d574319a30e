import Core
import FoundationEssentials
import Templates
import Web

/// A batch as a row of the log.
struct SyncRunRow: ViewRecord {
    let run: SyncRun

    static let fields = Fields<SyncRunRow> { f in
        f.link("href") { "/settings/sync/\($0.run.id)" }
        f.date("at") { $0.run.receivedAt }
        f.text("kind") { $0.run.kind.words }
        f.text("caller") { $0.run.caller }
        f.number("received") { $0.run.counts.received }
        f.number("created") { $0.run.counts.created }
        f.number("updated") { $0.run.counts.updated }
        f.number("unchanged") { $0.run.counts.unchanged + $0.run.counts.stale }
        f.number("deleted") { $0.run.counts.deleted }
        f.number("failed") { $0.run.counts.failed }
        f.flag("hasFailures") { $0.run.counts.failed > 0 }
        f.flag("isReplay") { $0.run.replayOf != nil }
    }
}

/// What host products sent.
struct SyncIndexPage: ViewPage {
    var runs: [SyncRunRow] = []
    var pager = Pager(summary: "")

    static let view = "connectors/sync"
    static let fields = Fields<SyncIndexPage> { f in
        f.list("runs", of: SyncRunRow.self) { $0.runs }
        f.record("pager", of: Pager.self) { $0.pager }
    }
    static var previews: [SyncIndexPage] {
        let rows = [example(failed: 0), example(failed: 2)].map(SyncRunRow.init)
        return [SyncIndexPage(), SyncIndexPage(runs: rows, pager: Pager(summary: "Newest first"))]
    }

    static func example(failed: Int) -> SyncRun {
        SyncRun(
            id: IdentifierSource().next(), kind: .contacts, caller: "Service key “Shop”",
            counts: .init(received: 1_000, created: 900, updated: 98 - failed, unchanged: 2, failed: failed),
            milliseconds: 84, receivedAt: Date(timeIntervalSince1970: 1_768_469_400),
            replayOf: failed > 0 ? IdentifierSource().next() : nil)
    }
}

/// A row that failed.
struct SyncFailureRow: ViewRecord {
    let failure: SyncFailure

    static let fields = Fields<SyncFailureRow> { f in
        f.number("place") { $0.failure.row + 1 }
        f.text("record") { row in
            let parts: [String] = [row.failure.sourceType, row.failure.sourceID].filter { !$0.isEmpty }
            return parts.isEmpty ? "without a name" : parts.joined(separator: " ")
        }
        f.text("reason") { SyncReason.words($0.failure.reason) }
        f.text("state") { row in
            if row.failure.replayedAt != nil { return "Tried again" }
            return row.failure.payload == nil ? "No longer kept" : "Can be tried again"
        }
    }
}

/// One batch: what it became, what failed and why.
struct SyncShowPage: ViewPage {
    let run: SyncRun
    var failures: [SyncFailureRow] = []

    static let view = "connectors/sync-run"
    static let fields = Fields<SyncShowPage> { f in
        f.date("at") { $0.run.receivedAt }
        f.text("kind") { $0.run.kind.words }
        f.text("caller") { $0.run.caller }
        f.list("tiles", of: StatTile.self) { page in
            let counts: SyncRun.Counts = page.run.counts
            let all: [(String, Int)] = [
                ("Received", counts.received), ("Created", counts.created), ("Updated", counts.updated),
                ("Unchanged", counts.unchanged), ("Older than known", counts.stale), ("Deleted", counts.deleted),
                ("Failed", counts.failed),
            ]
            return all.map { StatTile(label: $0.0, value: NumberWords.grouped($0.1)) }
        }
        f.text("took") { "\($0.run.milliseconds) ms" }
        f.list("failures", of: SyncFailureRow.self) { $0.failures }
        f.number("waiting") { page in
            page.failures.count { $0.failure.payload != nil && $0.failure.replayedAt == nil }
        }
        f.flag("canReplay") { page in
            page.failures.contains { $0.failure.payload != nil && $0.failure.replayedAt == nil }
        }
        f.link("replayHref") { "/settings/sync/\($0.run.id)/replay" }
        f.optionalLink("originHref") { $0.run.replayOf.map { "/settings/sync/\($0)" } }
    }
    static var previews: [SyncShowPage] {
        let failure = SyncFailure(
            row: 3, sourceType: "serviceflow.customer", sourceID: "17", reason: "email: This has no @.",
            payload: .object([:]))
        let old = SyncFailure(row: 4, sourceType: "", sourceID: "", reason: "sourceId: Give the id.", payload: nil)
        return [
            SyncShowPage(run: SyncIndexPage.example(failed: 0)),
            SyncShowPage(
                run: SyncIndexPage.example(failed: 2), failures: [failure, old].map(SyncFailureRow.init)),
        ]
    }
}
