/**
 * The shell's own tree: what the parser's says, with quoting resolved and everything that is not
 * of the POSIX shell refused. The executor reads nothing else.
 */

export interface TextSegment {
  readonly kind: 'text';
  readonly text: string;
  /** Quoted text is taken as it is; in other text `*?[` are a pattern's. */
  readonly quoted: boolean;
}

/** `~` or `~user`. */
export interface TildeSegment {
  readonly kind: 'tilde';
  readonly user: string;
}

export type ParameterOperator =
  | '-'
  | ':-'
  | '='
  | ':='
  | '?'
  | ':?'
  | '+'
  | ':+' // with a word in its place
  | '#'
  | '##'
  | '%'
  | '%%' // with a pattern taken off
  | 'length'
  | 'bad';

export interface ParameterSegment {
  readonly kind: 'parameter';
  readonly name: string;
  readonly quoted: boolean;
  readonly operator?: ParameterOperator;
  readonly operand?: Word;
  /** As it is written, for messages. */
  readonly text: string;
}

/** `$( )` or backquotes. */
export interface CommandSegment {
  readonly kind: 'command';
  readonly quoted: boolean;
  readonly body: List;
}

/** `$(( ))`: expanded as in double quotes, then read as an expression. */
export interface ArithmeticSegment {
  readonly kind: 'arithmetic';
  readonly quoted: boolean;
  readonly expression: Word;
}

export type Segment = TextSegment | TildeSegment | ParameterSegment | CommandSegment | ArithmeticSegment;

export interface Word {
  readonly segments: readonly Segment[];
  /** As it is written. */
  readonly text: string;
  /** Its one field, if it is the same every time: no expansions, no pattern. */
  readonly literal: string | undefined;
  /** `name=value` as an argument of export, readonly or local: one field, tildes as in assignments. */
  readonly assignment: boolean;
}

export interface Assignment {
  readonly name: string;
  readonly value: Word;
}

export interface FileRedirect {
  readonly kind: 'file';
  readonly fd: number;
  readonly operator: '>' | '>>' | '<' | '<>' | '>|' | '>&' | '<&';
  readonly target: Word;
}

export interface HereDocument {
  readonly kind: 'here';
  readonly fd: number;
  readonly body: Word;
}

export type Redirect = FileRedirect | HereDocument;

export interface Simple {
  readonly kind: 'simple';
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
  readonly line: number;
}

export interface Pipeline {
  readonly kind: 'pipeline';
  /** Two or more. */
  readonly commands: readonly Node[];
  readonly text: string;
}

export interface Not {
  readonly kind: 'not';
  readonly body: Node;
}

/** `time -p`'s report on what it runs. */
export interface Time {
  readonly kind: 'time';
  readonly body: Node;
}

export interface AndOr {
  readonly kind: 'andor';
  readonly first: Node;
  readonly rest: readonly { readonly and: boolean; readonly node: Node }[];
}

export interface ListItem {
  readonly node: Node;
  readonly background: boolean;
  readonly text: string;
  readonly line: number;
}

export interface List {
  readonly kind: 'list';
  readonly items: readonly ListItem[];
}

export interface Subshell {
  readonly kind: 'subshell';
  readonly body: List;
  readonly text: string;
}

export interface If {
  readonly kind: 'if';
  readonly condition: List;
  readonly consequent: List;
  readonly otherwise: Node | undefined;
}

export interface While {
  readonly kind: 'while';
  readonly until: boolean;
  readonly condition: List;
  readonly body: List;
}

export interface For {
  readonly kind: 'for';
  readonly name: string;
  /** The positional parameters if absent. */
  readonly words: readonly Word[] | undefined;
  readonly body: List;
  readonly line: number;
}

export interface Case {
  readonly kind: 'case';
  readonly word: Word;
  readonly items: readonly CaseItem[];
  readonly line: number;
}

export interface CaseItem {
  readonly patterns: readonly Word[];
  readonly body: List;
  /** `;&`: go on with the next item's commands. */
  readonly through: boolean;
}

export interface FunctionDefinition {
  readonly kind: 'function';
  readonly name: string;
  readonly body: Node;
}

export interface Redirected {
  readonly kind: 'redirected';
  readonly body: Node;
  readonly redirects: readonly Redirect[];
  readonly line: number;
}

export type Node =
  | Simple
  | Pipeline
  | Not
  | Time
  | AndOr
  | List
  | Subshell
  | If
  | While
  | For
  | Case
  | FunctionDefinition
  | Redirected;
