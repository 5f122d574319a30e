import Core
import FoundationEssentials
import Jobs
import Templates
import Web

/// Background work of the workspace: what waits, what runs, and what failed for good.
struct QueuePage: ViewPage {
    let waiting: Int
    let running: Int
    let failed: [FailedJobRow]

    static let view = "accounts/queue"
    static let fields = Fields<QueuePage> { f in
        f.list("tiles", of: StatTile.self) { page in
            [
                StatTile(label: "Waiting", value: String(page.waiting)),
                StatTile(label: "Running", value: String(page.running)),
            ]
        }
        f.list("failed", of: FailedJobRow.self) { $0.failed }
    }
    static var previews: [QueuePage] {
        let row = FailedJobRow(
            id: "1", work: "Import of contacts", error: "The file is gone.", attempts: 10, failedAt: .now)
        return [QueuePage(waiting: 0, running: 0, failed: []), QueuePage(waiting: 3, running: 1, failed: [row])]
    }
}

struct FailedJobRow: ViewRecord {
    let id: String
    let work: String
    let error: String
    let attempts: Int
    let failedAt: Date

    static let fields = Fields<FailedJobRow> { f in
        f.text("id") { $0.id }
        f.text("work") { $0.work }
        f.text("error") { $0.error }
        f.number("attempts") { $0.attempts }
        f.date("failedAt") { $0.failedAt }
    }

    init(id: String, work: String, error: String, attempts: Int, failedAt: Date) {
        self.id = id
        self.work = work
        self.error = error
        self.attempts = attempts
        self.failedAt = failedAt
    }

    init(_ job: DeadJob) {
        self.init(
            id: "\(job.id)", work: Self.words(for: job.kind), error: job.lastError, attempts: job.attempts,
            failedAt: job.failedAt)
    }

    /// `contacts.import` becomes “Contacts: import”.
    static func words(for kind: String) -> String {
        let parts = kind.split(separator: ".").map { $0.replacing("_", with: " ") }
        guard let first = parts.first else { return kind }
        let rest = parts.dropFirst().joined(separator: " ")
        let title = first.prefix(1).uppercased() + first.dropFirst()
        return rest.isEmpty ? title : "\(title): \(rest)"
    }
}
