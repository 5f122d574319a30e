import Foundation
import Synchronization

/// Views that follow their files, for development. Production loads a `ViewLibrary` once and has none of this.
package final class ViewReloader: Sendable {
    /// The last views that were right, and what is wrong with the present files, if anything.
    package struct Snapshot: Sendable {
        package let library: ViewLibrary?
        package let errors: ViewErrors?
    }

    private struct State {
        var snapshot: Snapshot
        var stamps: [String: ViewDirectory.Stamp]?
        var looked: ContinuousClock.Instant
    }

    /// Files are looked at no more often than this.
    private static let pause: Duration = .milliseconds(250)

    private let directory: ViewDirectory
    private let load: @Sendable () throws(ViewErrors) -> ViewLibrary
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - directory: the directory that `load` reads.
    ///   - now: the clock that spaces the looks at the files.
    ///   - load: makes the library from the files as they are now.
    package init(
        directory: String, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        load: @escaping @Sendable () throws(ViewErrors) -> ViewLibrary
    ) {
        self.directory = ViewDirectory(directory)
        self.load = load
        self.now = now
        let stamps: [String: ViewDirectory.Stamp]? = Self.stamps(self.directory)
        let first: Snapshot = Self.attempt(load, keeping: nil)
        state = Mutex(State(snapshot: first, stamps: stamps, looked: now()))
    }

    /// The views of this moment; loads them anew when a file has changed since the last look.
    package func current() -> Snapshot {
        let time: ContinuousClock.Instant = now()
        return state.withLock { state in
            guard time - state.looked >= Self.pause else { return state.snapshot }
            state.looked = time
            let stamps: [String: ViewDirectory.Stamp]? = Self.stamps(directory)
            guard stamps != state.stamps else { return state.snapshot }
            state.stamps = stamps
            state.snapshot = Self.attempt(load, keeping: state.snapshot.library)
            return state.snapshot
        }
    }

    /// The views of this moment, for a page.
    /// - Throws: what is wrong with the present files; earlier views would only hide it.
    package func library() throws(ViewErrors) -> ViewLibrary {
        let snapshot: Snapshot = current()
        if let errors = snapshot.errors { throw errors }
        guard let library = snapshot.library else { throw ViewErrors(general: "no views were loaded") }
        return library
    }

    /// Nil while the directory cannot be read; `load` then says why.
    private static func stamps(_ directory: ViewDirectory) -> [String: ViewDirectory.Stamp]? {
        do throws(ViewErrors) {
            return try directory.stamps()
        } catch {
            return nil
        }
    }

    private static func attempt(
        _ load: () throws(ViewErrors) -> ViewLibrary, keeping old: ViewLibrary?
    ) -> Snapshot {
        do throws(ViewErrors) {
            return Snapshot(library: try load(), errors: nil)
        } catch {
            return Snapshot(library: old, errors: error)
        }
    }
}
