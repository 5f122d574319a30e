import Synchronization

/// A value that is made when somebody asks for it first, and kept: for what few starts ever need.
package final class Deferred<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)
    private let make: @Sendable () -> Value

    package init(_ make: @escaping @Sendable () -> Value) {
        self.make = make
    }

    /// Who asks meanwhile waits, so that it is made once.
    package var value: Value {
        made.withLock { known in
            if let known { return known }
            let value: Value = make()
            known = value
            return value
        }
    }
}
