import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { examples, jsonOption } from './options.ts';

/** `fulcrum books …`: the providers' prices; needs no server. */
export function addBooksCommands(program: Command, done: (code: ExitCode) => void): void {
  const books = program
    .command('books')
    .description("list and show providers' price books, check one of your own")
    .usage('COMMAND [options]')
    .addHelpText('after', examples('fulcrum books ls', 'fulcrum books show aws-lambda-x86'));

  books
    .command('ls')
    .description('list the books that come with Fulcrum')
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum books ls', "fulcrum books ls --json | jq '.[].id'"))
    .action(async (options) => done((await import('./commands/books.ts')).listBooks(options)));

  books
    .command('show')
    .description("show a book's prices and rules, with where and when they were read")
    .argument('<BOOK>', 'its id, or a file that ends in .json')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'fulcrum books show aws-lambda-x86',
        'fulcrum books show own-machine --json > mine.json',
        'fulcrum books show mine.json',
      ),
    )
    .action(async (book, options) => done((await import('./commands/books.ts')).showBook(book, options)));

  books
    .command('check')
    .description('say whether a file is a price book, and else what is wrong with it')
    .argument('<FILE>', 'a JSON file, to begin with from `fulcrum books show ID --json`')
    .addOption(jsonOption())
    .addHelpText('after', examples('fulcrum books check mine.json'))
    .action(async (file, options) => done((await import('./commands/books.ts')).checkBook(file, options)));
}
