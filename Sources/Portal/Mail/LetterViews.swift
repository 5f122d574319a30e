import Synchronization
import Templates

/// The views that letters are rendered with; they are there once the server has loaded its views.
final class LetterViews: Sendable {
    private let loaded = Mutex<ViewLibrary?>(nil)

    var library: ViewLibrary? {
        get { loaded.withLock { $0 } }
        set { loaded.withLock { $0 = newValue } }
    }
}
