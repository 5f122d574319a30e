import Accounts
import Core
import Synchronization

/// Keeps the texts of the newest people of those workspaces in which somebody searches while nothing changes. Whoever uses
/// them compares their revision with the workspace's, so they are never wrong; where people change all the time they would
/// be read for nothing, and are not.
final class NewestTextsMemory: Sendable {
    private struct Workspace {
        var texts: NewestTexts?
        /// The revision that the last search met.
        var revision: Int?
        /// Whether the search before it met the same.
        var isQuiet: Bool = false
        var isLoading: Bool = false
        /// When they were used last, in searches since the start.
        var used: Int = 0
    }

    private struct State {
        var workspaces: [WorkspaceID: Workspace] = [:]
        var searches: Int = 0
    }

    /// Texts of so many workspaces are kept, about a megabyte each.
    static let capacity: Int = 8
    private static let knownWorkspaces: Int = 4096

    private let state = Mutex(State())

    /// The texts of the workspace; read when they are worth it, by one search at a time. Nil when the search has to do
    /// without.
    func texts(_ workspace: WorkspaceID, load: () async throws -> NewestTexts?) async throws -> NewestTexts? {
        let (texts, loads): (NewestTexts?, Bool) = state.withLock { state in
            guard var known = state.workspaces[workspace] else { return (nil, false) }
            state.searches += 1
            known.used = state.searches
            let loads: Bool = known.texts == nil && known.isQuiet && !known.isLoading
            known.isLoading = known.isLoading || loads
            state.workspaces[workspace] = known
            return (known.texts, loads)
        }
        guard loads else { return texts }
        var loaded: NewestTexts?
        defer { keep(loaded, of: workspace) }
        loaded = try await load()
        return loaded
    }

    /// Learns what a search found the workspace's people to be.
    func met(_ totals: ContactTotals.State, _ workspace: WorkspaceID) {
        state.withLock { state in
            if state.workspaces.count >= Self.knownWorkspaces { state.workspaces.removeAll() }
            var known: Workspace = state.workspaces[workspace] ?? Workspace()
            known.isQuiet = known.revision == totals.revision && totals.unindexed == 0
            known.revision = totals.revision
            if known.texts?.revision != totals.revision { known.texts = nil }
            state.workspaces[workspace] = known
        }
    }

    private func keep(_ texts: NewestTexts?, of workspace: WorkspaceID) {
        state.withLock { state in
            state.workspaces[workspace]?.isLoading = false
            state.workspaces[workspace]?.texts = texts
            let kept = state.workspaces.filter { $0.value.texts != nil }
            guard kept.count > Self.capacity, let oldest = kept.min(by: { $0.value.used < $1.value.used }) else {
                return
            }
            state.workspaces[oldest.key]?.texts = nil
        }
    }
}
