import Synchronization
import Templates

/// The views that letters are rendered with; they are there once the server has loaded its views.
final class LetterViews: Sendable {
    private let source = Mutex<(@Sendable () -> ViewLibrary?)?>(nil)

    /// The views of this moment, if there are any.
    var library: ViewLibrary? {
        let source = source.withLock { $0 }
        return source?()
    }

    /// From now on letters look as these views say.
    func follow(_ views: @escaping @Sendable () -> ViewLibrary?) {
        source.withLock { $0 = views }
    }
}
