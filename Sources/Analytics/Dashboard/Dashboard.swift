import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The state of a workspace, ready to be shown.
struct Dashboard: Sendable {
    let facts: DashboardFacts
    let zone: String
    let buckets: LocalBuckets
    /// The beginnings of the last 30 days, today last.
    let days: [Date]
    let month: MonthTotals
    let sentByDay: [Int]
    let contactsByDay: [Int]
    let attention: [AttentionItem]
    let hasPostalAddress: Bool
    /// Whether e-mails leave the portal, or stay in its Outbox.
    let sendsForReal: Bool

    var sentInMonth: Int { sentByDay.reduce(0, +) }
    var hasContacts: Bool { facts.contactCount > 0 }
    var hasSent: Bool { facts.sends.contains { $0.sent > 0 } || facts.campaigns.contains { $0.sent > 0 } }
    /// Until everything on the first-run list is done, the list is shown.
    var isSetUp: Bool { hasPostalAddress && sendsForReal && hasContacts && hasSent }
}

struct DashboardReader: Sendable {
    let services: AppServices
    static let dayCount = 30

    /// - Throws: `WebError.notFound` when the workspace is gone.
    func dashboard(_ scope: WorkspaceScope) async throws -> Dashboard {
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let now: Date = services.clock.now
        let buckets = LocalBuckets(.day, zone: workspace.timeZone)
        let days: [Date] = Self.days(until: now, buckets: buckets)
        let names: [String] = days.map { buckets.isoDay($0) }
        let from: Date = days.first ?? now
        let facts: DashboardFacts = try await services.database.read(scope.workspace) { tx in
            try await DashboardQueries(workspace: scope.workspace, tx: tx)
                .facts(days: names, from: from, buckets: buckets, now: now)
        }
        let month = MonthTotals(facts.sends.filter { ($0.firstSentAt ?? .distantPast) >= from })
        let sendsForReal: Bool = facts.provider.map { $0 == "smtp" } ?? (services.systemSMTP != nil)
        return Dashboard(
            facts: facts, zone: workspace.timeZone, buckets: buckets, days: days, month: month,
            sentByDay: SendDays.counts(facts.sends, spread: facts.spread, buckets: buckets, starts: days),
            contactsByDay: ContactCounts.series(facts.contactCounts, days: names, current: facts.contactCount),
            attention: Attention.items(
                facts, postalAddress: workspace.postalAddress, sendsForReal: sendsForReal, month: month),
            hasPostalAddress: !workspace.postalAddress.isEmpty, sendsForReal: sendsForReal)
    }

    static func days(until now: Date, buckets: LocalBuckets) -> [Date] {
        var days: [Date] = [buckets.start(of: now)]
        while days.count < dayCount, let first = days.first {
            days.insert(buckets.start(of: first.addingTimeInterval(-3600 * 12)), at: 0)
        }
        return days
    }
}
