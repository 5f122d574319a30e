import Core

package enum BatchTag {}
/// Names a stretch of the ledger that one dispatcher takes at a time.
package typealias BatchID = Identifier<BatchTag>
