/// The workbench's version: what `experiment --version` prints, and what saved files carry.
package let workbenchVersion = "0.5.0"
