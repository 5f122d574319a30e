import Accounts
import Core
import Synchronization

/// Keeps the texts of the newest people of those workspaces in which many search while nobody changes. Whoever uses them
/// compares their revision with the workspace's, so they are never wrong; where people change all the time they would be
/// loaded for nothing, and are not.
final class NewestTextsMemory: Sendable {
    private struct Workspace {
        var texts: NewestTexts?
        /// The revision that the last search met, and how many in a row met the same.
        var revision: Int?
        var searches: Int = 0
        var isLoading: Bool = false
        /// The number of the last use, counted over all workspaces.
        var lastUse: Int = 0
    }

    private struct State {
        var workspaces: [WorkspaceID: Workspace] = [:]
        var uses: Int = 0
    }

    /// So many searches have to meet the same people before texts are loaded: loading them costs as much as these do.
    static let searchesBeforeLoading: Int = 16
    /// The texts of so many people are kept, 18 MB at most.
    static let capacity: Int = 4 * NewestTexts.capacity
    private static let knownWorkspaces: Int = 4096

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int = NewestTextsMemory.capacity) {
        self.capacity = capacity
    }

    /// The texts of the workspace; loaded when they are worth it, by one search at a time. Nil when the search has to do
    /// without.
    func texts(_ workspace: WorkspaceID, load: () async throws -> NewestTexts?) async throws -> NewestTexts? {
        let (texts, loads): (NewestTexts?, Bool) = state.withLock { state in
            guard var known = state.workspaces[workspace] else { return (nil, false) }
            state.uses += 1
            known.lastUse = state.uses
            let loads: Bool = known.texts == nil && !known.isLoading && known.searches >= Self.searchesBeforeLoading
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
            known.searches = totals.unindexed > 0 ? 0 : known.revision == totals.revision ? known.searches + 1 : 1
            known.revision = totals.revision
            if known.texts?.revision != totals.revision { known.texts = nil }
            state.workspaces[workspace] = known
        }
    }

    private func keep(_ texts: NewestTexts?, of workspace: WorkspaceID) {
        state.withLock { state in
            state.workspaces[workspace]?.isLoading = false
            state.workspaces[workspace]?.texts = texts
            // Those that were used longest ago go first.
            let kept = state.workspaces.filter { $0.value.texts != nil }.sorted { $0.value.lastUse > $1.value.lastUse }
            var count: Int = 0
            for (workspace, known) in kept {
                count += known.texts?.people.count ?? 0
                guard count > capacity else { continue }
                state.workspaces[workspace]?.texts = nil
                state.workspaces[workspace]?.searches = 0
            }
        }
    }
}
