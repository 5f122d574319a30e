import Synchronization
import Templates

/// The views that letters and e-mails are made with: those of the server, or, in a command that serves nothing, read when
/// they are first needed.
final class LetterViews: Sendable {
    private let load: @Sendable () throws -> ViewLibrary
    private let source = Mutex<(@Sendable () throws -> ViewLibrary)?>(nil)

    /// - Parameter load: reads the views.
    init(loading load: @escaping @Sendable () throws -> ViewLibrary) {
        self.load = load
    }

    /// The views of this moment.
    /// - Throws: `ViewErrors` with what is wrong with them.
    func library() throws -> ViewLibrary {
        if let source = source.withLock({ $0 }) { return try source() }
        let loaded: ViewLibrary = try load()
        source.withLock { $0 = { loaded } }
        return loaded
    }

    /// From now on letters look as these views say.
    func follow(_ views: @escaping @Sendable () throws -> ViewLibrary) {
        source.withLock { $0 = views }
    }
}
